// Operations of training alone.
#pragma once

#include "rnx/attack/op.hpp"

namespace rnx::inline RNX_ABI::op {

/// Free adversarial training (Shafahi et al. 2019): y = clip(x + delta, 0, 1)
template <class T> struct perturb {
  std::size_t count;
  const T* x;
  const T* delta;
  T* y;
  auto pointers() { return std::tie(x, delta, y); }
};
/// Linf: delta = clip(delta + eps direction(g), -eps, eps); L2: delta + eps g / (|g| + 1e-10) of
/// each row, scaled by eps / (|delta| + 1e-7) when longer. eps from the step values; the
/// perturbation outlives its batch.
template <class T> struct perturbation_step {
  std::size_t rows;
  std::size_t features;
  Norm norm;
  const StepValues* values;
  const T* gradient;
  T* delta;
  auto pointers() { return std::tie(values, gradient, delta); }
};

}  // namespace rnx::inline RNX_ABI::op
