// Optimizer steps over flat parameter ranges. Learning rate and momentum come from StepValues: a
// recorded step reads the new ones.
#pragma once

#include "rnx/kernels/kernel.hpp"

namespace rnx::inline RNX_ABI::op {

/// g' = clip g + decay p;  v = momentum v + g' (first: v = g');  p -= lr (nesterov ? g' + momentum
///                         v : v)     (PyTorch's SGD)
template <class T> struct sgd_step {
  std::size_t count;
  double lr_factor, decay;
  bool nesterov, first;
  const StepValues* values;
  const double* clip;
  const T* gradient;
  T* velocity;
  T* parameter;
  auto pointers() { return std::tie(values, clip, gradient, velocity, parameter); }
};
/// Adam (Kingma & Ba 2015) with L2 decay added to the gradient; `t` counts steps from 1
template <class T> struct adam_step {
  std::size_t count;
  double lr_factor, beta1, beta2, eps, decay;
  long t;
  const StepValues* values;
  const double* clip;
  const T* gradient;
  T* m;
  T* v;
  T* parameter;
  auto pointers() { return std::tie(values, clip, gradient, m, v, parameter); }
};
/// average = decay average + (1 - decay) parameter
template <class T> struct ema_step {
  std::size_t count;
  double decay;
  const T* parameter;
  T* average;
  auto pointers() { return std::tie(parameter, average); }
};
/// sum += |x|^2 in double, in fixed chunks; sum is device memory
template <class T> struct square_sum {
  std::size_t count;
  const T* x;
  double* sum;
  auto pointers() { return std::tie(x, sum); }
};
/// clip = min(1, limit / (sqrt(sum) + 1e-6)), both in device memory
template <class T> struct clip_factor {
  double limit;
  const double* sum;
  double* clip;
  auto pointers() { return std::tie(sum, clip); }
};

}  // namespace rnx::inline RNX_ABI::op
