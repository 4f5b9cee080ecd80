// Operations of room train on a device against the CPU's.
#pragma once

#include "ops.hpp"

#include "rnx/train/cpu.hpp"

namespace test {

template <class Device, class T> struct TrainOps : Ops<Device, T> {
  using Base = Ops<Device, T>;
  using Base::check, Base::values;

  static void perturbations(std::size_t rows, std::size_t features) {
    const std::size_t count = rows * features;
    std::vector<T> delta = numbers<T>(count, 1), gradient = numbers<T>(count, 2);
    for (std::size_t i = 0; i < count; ++i) delta[i] *= i < features ? T(0.001) : T(0.02);
    gradient[1] = 0;
    gradient[count - 1] = std::numeric_limits<T>::quiet_NaN();  // of the last row
    Arrays m;
    T *pd = m.add(delta), *pg = m.add(gradient);
    check("perturb", m,
          op::perturb<T>{.count = count,
                         .x = m.add(numbers<T>(count, 3)),
                         .delta = pd,
                         .y = m.add(numbers<T>(count, 4))});
    for (const op::Norm norm : {op::Norm::linf, op::Norm::l2})
      for (const rnx::StepValues* v : {m.add(values()), static_cast<rnx::StepValues*>(nullptr)})
        check("perturbation_step", m,
              op::perturbation_step<T>{.rows = rows,
                                       .features = features,
                                       .norm = norm,
                                       .values = v,
                                       .gradient = pg,
                                       .delta = pd});
  }
  static void all() {
    perturbations(3, 48);
    perturbations(2, 5000);
  }
};

}  // namespace test
