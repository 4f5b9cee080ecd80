// Elementwise operations over functors that every device shares.
#pragma once

#include "rnx/kernels/kernel.hpp"

namespace rnx::inline RNX_ABI::op {

/// y = F::forward(x)
template <class F, class T> struct pointwise_forward {
  Map<const T> x;
  Map<T> y;
  auto pointers() { return std::tie(x.data, y.data); }
};
/// dx = dy F::derivative(v), and 0 where the derivative is 0, whatever dy is; v is x or y as
/// F::reads says; assigned
template <class F, class T> struct pointwise_backward {
  Map<const T> v;
  Map<const T> dy;
  Map<T> dx;
  auto pointers() { return std::tie(v.data, dy.data, dx.data); }
};
/// y = m && x <= 0 ? 0 : x with a mask m(c, h, w) in {0, 1} shared by the batch, in the field's
/// order; `bits`: as pack_mask wrote it (null: not there), for devices that fuse
template <class T> struct masked_relu_forward {
  Map<const T> x;
  Map<T> y;
  const T* mask;
  Map<const T> bits{};
  auto pointers() { return std::tie(x.data, y.data, mask, bits.data); }
};
/// dx = m && y <= 0 ? 0 : dy
template <class T> struct masked_relu_backward {
  Map<const T> y;
  Map<const T> dy;
  Map<T> dx;
  const T* mask;
  Map<const T> bits{};
  auto pointers() { return std::tie(y.data, dy.data, dx.data, mask, bits.data); }
};
/// to(h, w, c) = all bits set where mask(c, h, w) != 0, else none
template <class T> struct pack_mask {
  const T* mask;
  Map<T> to;
  auto pointers() { return std::tie(mask, to.data); }
};
/// y = (x - shift(c)) / divisor(c); backward is the same call with shift null
template <class T> struct affine_channels {
  Map<const T> x;
  Map<T> y;
  const T* shift;
  const T* divisor;
  auto pointers() { return std::tie(x.data, y.data, shift, divisor); }
};
/// y = keep(i) ? x / (1 - p) : x - x, which is 0, or NaN where x is not finite (PyTorch multiplies
/// by 0) keep regenerated from (values, purpose, draw, site, element), element counted by sample id
/// and position
template <class T> struct dropout {
  Map<const T> x;
  Map<T> y;
  const StepValues* values;
  double p;
  std::uint64_t draw;
  std::uint64_t site;
  std::uint64_t first_sample;
  const std::int32_t* samples = nullptr;  ///< row n is sample first_sample + samples[n]; null: + n
  auto pointers() { return std::tie(x.data, y.data, values, samples); }
};

}  // namespace rnx::inline RNX_ABI::op
