// Starts and steps of first-order attacks: rows are dense samples, each one's result depends on its
// own number only.
#pragma once

#include <cmath>

#include "rnx/attack/op.hpp"
#include "rnx/kernels/cpu/random.hpp"
#include "rnx/kernels/cpu/reduce.hpp"

namespace rnx::inline RNX_ISA::host {

/// |x|, summed in double in the order of the elements.
template <class Element> double row_norm(std::size_t count, Element&& element) {
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double v = element(i);
    sum += v * v;
  }
  return std::sqrt(sum);
}

}  // namespace rnx::inline RNX_ISA::host

namespace rnx::inline RNX_ISA {

template <class T> struct kernel<cpu, op::attack_start<T>> {
  static void run(Stream, const op::attack_start<T>& a) {
    const std::size_t count = std::size_t(a.clean.h) * a.clean.w * a.clean.c;
    const StepValues values = a.values ? *a.values : StepValues{};
    const double eps = values.eps;
    host::parallel_for(a.clean.n, [&](long n) {
      const rng::Stream stream(values.seed + a.seed, Purpose::attack, values.draw + a.draw,
                               a.first_sample + geometry::sample_of(a.samples, std::size_t(n)));
      const T* x = a.clean.data + n * count;
      T* to = a.adversarial.data + n * count;
      if (a.norm == op::Norm::linf && !(a.noise > 0)) {
        host::Uniforms uniform{stream};
        for (std::size_t i = 0; i < count; ++i)
          to[i] = host::clamped(T(x[i] + eps * (2 * uniform(i) - 1)), T(0), T(1));
        return;
      }
      if (a.noise > 0) {
        for (std::size_t i = 0; i < count; ++i)
          to[i] = host::clamped(T(x[i] + a.noise * stream.normal(i)), T(0), T(1));
        return;
      }
      double* normal = host::scratch<double>(host::slot_input, count);
      for (std::size_t i = 0; i < count; ++i) normal[i] = stream.normal(i);
      const double factor =
          eps / (host::row_norm(count, [&](std::size_t i) { return normal[i]; }) + 1e-10);
      for (std::size_t i = 0; i < count; ++i)
        to[i] = host::clamped(T(x[i] + factor * normal[i]), T(0), T(1));
    });
  }
};

template <class T> struct kernel<cpu, op::attack_step<T>> {
  static void run(Stream, const op::attack_step<T>& a) {
    const std::size_t count = std::size_t(a.clean.h) * a.clean.w * a.clean.c;
    const double eps = a.values ? a.values->eps : 0, length = a.fgsm     ? eps
                                                              : a.values ? a.values->step
                                                                         : 0;
    host::parallel_for(
        a.clean.n,
        [&](long n) {
          const T* x = a.clean.data + n * count;
          const T* g = a.gradient.data + n * count;
          T* to = a.adversarial.data + n * count;
          if (a.norm == op::Norm::linf) {
            const T step = T(length), radius = T(eps);
            RNX_SIMD for (std::size_t i = 0; i < count; ++i) {
              const T v =
                  host::clamped(to[i] + step * op::direction(g[i]), x[i] - radius, x[i] + radius);
              to[i] = host::clamped(x[i] == x[i] ? v : x[i], T(0), T(1));
            }
            return;
          }
          const double step =
              length / (host::row_norm(count, [&](std::size_t i) { return g[i]; }) + 1e-10);
          const auto delta = [&](std::size_t i) { return to[i] + step * g[i] - x[i]; };
          const double distance = host::row_norm(count, delta),
                       factor = distance > eps ? eps / (distance + 1e-7) : 1;
          for (std::size_t i = 0; i < count; ++i)
            to[i] = host::clamped(T(x[i] + factor * delta(i)), T(0), T(1));
        },
        double(a.clean.n) * count * 4);
  }
};

}  // namespace rnx::inline RNX_ISA
