// Operations of training alone.
#pragma once

#include "rnx/kernels/kernel.hpp"

namespace rnx::inline RNX_ABI::op {

/// Free adversarial training (Shafahi et al. 2019): y = clip(x + delta, 0, 1)
template <class T> struct perturb {
  std::size_t count;
  const T* x;
  const T* delta;
  T* y;
  auto pointers() { return std::tie(x, delta, y); }
};
/// delta = clip(delta + eps direction(g), -eps, eps), eps from the step values; the perturbation
/// outlives its batch
template <class T> struct perturbation_step {
  std::size_t count;
  const StepValues* values;
  const T* gradient;
  T* delta;
  auto pointers() { return std::tie(values, gradient, delta); }
};

}  // namespace rnx::inline RNX_ABI::op
