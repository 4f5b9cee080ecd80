// Pooling. Max pooling keeps no indices: backward finds the maximum of each window again.
#pragma once

#include "rnx/kernels/kernel.hpp"

namespace rnx::inline RNX_ABI::op {

/// the maximum of each window; NaN where it holds one
template <class T> struct max_pool_forward {
  Map<const T> x;
  Map<T> y;
  geometry::Window window;
  auto pointers() { return std::tie(x.data, y.data); }
};
/// dx assigned: each window's gradient goes to its first maximum in row order, where there is a NaN
/// to its last one, as in PyTorch
template <class T> struct max_pool_backward {
  Map<const T> x;
  Map<const T> dy;
  Map<T> dx;
  geometry::Window window;
  auto pointers() { return std::tie(x.data, dy.data, dx.data); }
};
/// mean over each window; the divisor is kernel^2, padding counted as zeros (PyTorch's default)
template <class T> struct average_pool_forward {
  Map<const T> x;
  Map<T> y;
  geometry::Window window;
  auto pointers() { return std::tie(x.data, y.data); }
};
template <class T> struct average_pool_backward {
  Map<const T> dy;
  Map<T> dx;
  geometry::Window window;
  auto pointers() { return std::tie(dy.data, dx.data); }
};
/// y(n, c) = mean over pixels of x
template <class T> struct global_pool_forward {
  Map<const T> x;
  Map<T> y;
  auto pointers() { return std::tie(x.data, y.data); }
};
template <class T> struct global_pool_backward {
  Map<const T> dy;
  Map<T> dx;
  auto pointers() { return std::tie(dy.data, dx.data); }
};

}  // namespace rnx::inline RNX_ABI::op
