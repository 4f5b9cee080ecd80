// Free adversarial training's perturbation on CUDA.
#pragma once

#include "rnx/attack/cuda.cuh"
#include "rnx/train/cuda.hpp"

namespace rnx::inline RNX_ABI::gpu {

template <class T> struct element<op::perturb<T>> {
  op::perturb<T> a;
  std::size_t count() const { return a.count; }
  RNX_HD void operator()(std::size_t i) const { a.y[i] = clamped(a.x[i] + a.delta[i], T(0), T(1)); }
};

template <class T> struct PerturbationStep {
  static constexpr int terms = 1;
  op::perturbation_step<T> a;
  const double* gradient_norms;
  const double* lengths;
  RNX_SHARED double eps() const { return a.values ? a.values->eps : 0; }
  RNX_SHARED double moved(std::size_t row, std::size_t e) const {
    return a.delta[e] + eps() / (gradient_norms[row] + 1e-10) * a.gradient[e];
  }
  RNX_SHARED void operator()(std::size_t row, std::size_t j, double* acc) const {
    const double v = moved(row, row * a.features + j);
    acc[0] += v * v;
  }
  RNX_HD void operator()(std::size_t e) const {
    if (a.norm == op::Norm::linf) {
      const T radius = T(eps());
      a.delta[e] = clamped(a.delta[e] + radius * op::direction(a.gradient[e]), -radius, radius);
      return;
    }
    const std::size_t row = Split(e, a.features).quotient;
    const double length = lengths[row], factor = length > eps() ? eps() / (length + 1e-7) : 1;
    a.delta[e] = T(factor * moved(row, e));
  }
};
template <class T> struct body<op::perturbation_step<T>> {
  template <class E> static void run(const E& on, const op::perturbation_step<T>& a) {
    const bool l2 = a.norm == op::Norm::l2;
    const Scratch<double, E> norms(on, l2 ? 2 * a.rows : 0);
    double* lengths = norms.data() + (l2 ? a.rows : 0);
    const PerturbationStep<T> step{a, norms.data(), lengths};
    if (l2) {
      sum_segments(on, a.rows, a.features, false, GradientSquares<T>{a.gradient, a.features},
                   StoreNorm{norms.data()});
      sum_segments(on, a.rows, a.features, false, step, StoreNorm{lengths});
    }
    on.each(a.rows * a.features, step);
  }
};

}  // namespace rnx::inline RNX_ABI::gpu

namespace rnx::inline RNX_ABI {
RNX_CUDA_TRAIN(RNX_CUDA_DEFINE)
}  // namespace rnx::inline RNX_ABI
