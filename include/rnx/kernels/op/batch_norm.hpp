// Batch normalisation (Ioffe & Szegedy 2015). Variances are biased unless a line says otherwise.
#pragma once

#include "rnx/kernels/kernel.hpp"

namespace rnx::inline RNX_ABI::op {

/// mean(c), var(c) over samples and pixels
template <class T> struct batch_norm_statistics {
  geometry::Map x;
  const T* px;
  T* mean;
  T* var;
  auto pointers() { return std::tie(px, mean, var); }
};
/// y = gamma (x - mean) / sqrt(var + eps) + beta
template <class T> struct batch_norm_normalize {
  geometry::Map x, y;
  T eps;
  const T* px;
  const T* mean;
  const T* var;
  const T* gamma;
  const T* beta;
  T* py;
  auto pointers() { return std::tie(px, mean, var, gamma, beta, py); }
};
/// sums(0, c) = sum of dy, sums(1, c) = sum of dy xhat; assigned
template <class T> struct batch_norm_reduce {
  geometry::Map x, y;
  T eps;
  const T* px;
  const T* dy;
  const T* mean;
  const T* var;
  T* sums;
  auto pointers() { return std::tie(px, dy, mean, var, sums); }
};
/// dx = gamma / sqrt(var + eps) (dy - sums0 / m - xhat sums1 / m) with m = samples x pixels; sums
/// null: eval mode, dx = gamma / sqrt(var + eps) dy
template <class T> struct batch_norm_backward {
  geometry::Map x, y;
  T eps;
  const T* px;
  const T* dy;
  const T* mean;
  const T* var;
  const T* gamma;
  const T* sums;
  T* dx;
  auto pointers() { return std::tie(px, dy, mean, var, gamma, sums, dx); }
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
