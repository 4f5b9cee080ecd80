// Operations of linearized networks.
#pragma once

#include "rnx/kernels/kernel.hpp"

namespace rnx::inline RNX_ABI::op {

/// y = x < 0 ? (1 - a) x : x, a(c, h, w) shared by the batch, in the field's order
template <class T> struct sloped_relu_forward {
  Map<const T> x;
  Map<T> y;
  const T* slopes;
  auto pointers() { return std::tie(x.data, y.data, slopes); }
};
/// dx = x < 0 ? (1 - a) dy : dy, assigned; da(c, h, w) += sum over the batch of x < 0 ? -x dy : 0
/// (null: not computed)
template <class T> struct sloped_relu_backward {
  Map<const T> x;
  Map<const T> dy;
  Map<T> dx;
  const T* slopes;
  T* dslopes;
  auto pointers() { return std::tie(x.data, dy.data, dx.data, slopes, dslopes); }
};
/// sum(c, h, w) += sum over the batch of |t - s|, in double, sample by sample. Each sum is two
/// numbers, sums(c, h, w) and what that leaves of it, rest(c, h, w).
template <class T> struct distance_sums {
  Map<const T> t;
  Map<const T> s;
  T* sums;
  T* rest;
  auto pointers() { return std::tie(t.data, s.data, sums, rest); }
};

}  // namespace rnx::inline RNX_ABI::op
