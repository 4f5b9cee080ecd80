// Batch normalisation (Ioffe & Szegedy 2015). Variances are biased unless a line says otherwise.
#pragma once

#include "rnx/kernels/kernel.hpp"

namespace rnx::inline RNX_ABI::op {

/// mean(c), var(c) over samples and pixels
template <class T> struct batch_norm_statistics {
  Map<const T> x;
  T* mean;
  T* var;
  auto pointers() { return std::tie(x.data, mean, var); }
};
/// y = gamma (x - mean) / sqrt(var + eps) + beta
template <class T> struct batch_norm_normalize {
  Map<const T> x;
  Map<T> y;
  const T* mean;
  const T* var;
  const T* gamma;
  const T* beta;
  T eps;
  auto pointers() { return std::tie(x.data, y.data, mean, var, gamma, beta); }
};
/// sums(0, c) = sum of dy, sums(1, c) = sum of dy xhat; assigned
template <class T> struct batch_norm_reduce {
  Map<const T> x;
  Map<const T> dy;
  const T* mean;
  const T* var;
  T* sums;
  T eps;
  auto pointers() { return std::tie(x.data, dy.data, mean, var, sums); }
};
/// dx = gamma / sqrt(var + eps) (dy - sums0 / m - xhat sums1 / m) with m = samples x pixels; sums
/// null: eval mode, dx = gamma / sqrt(var + eps) dy
template <class T> struct batch_norm_backward {
  Map<const T> x;
  Map<const T> dy;
  Map<T> dx;
  const T* mean;
  const T* var;
  const T* gamma;
  const T* sums;
  T eps;
  auto pointers() { return std::tie(x.data, dy.data, dx.data, mean, var, gamma, sums); }
};
/// running = (1 - weight) running + weight batch; var times `correction` (m / (m - 1) makes it
/// unbiased)
template <class T> struct batch_norm_update {
  int c;
  T weight, correction;
  const T* mean;
  const T* var;
  T* running_mean;
  T* running_var;
  auto pointers() { return std::tie(mean, var, running_mean, running_var); }
};

}  // namespace rnx::inline RNX_ABI::op
