// Elementwise operations over functors that every device shares.
#pragma once

#include "rnx/kernels/kernel.hpp"

namespace rnx::inline RNX_ABI::op {

/// y = F::forward(x)
template <class F, class T> struct pointwise_forward {
  geometry::Map x, y;
  const T* px;
  T* py;
  auto pointers() { return std::tie(px, py); }
};
/// dx = dy F::derivative(v), and 0 where the derivative is 0, whatever dy is; v is x or y as
/// F::reads says; assigned
template <class F, class T> struct pointwise_backward {
  geometry::Map v, dyg, dxg;
  const T* pv;
  const T* dy;
  T* dx;
  auto pointers() { return std::tie(pv, dy, dx); }
};
/// y = m && x < 0 ? 0 : x with a mask m(c, h, w) in {0, 1} shared by the batch, in the field's
/// order
template <class T> struct masked_relu_forward {
  geometry::Map x, y;
  const T* px;
  const T* mask;
  T* py;
  auto pointers() { return std::tie(px, mask, py); }
};
/// dx = m && y <= 0 ? 0 : dy
template <class T> struct masked_relu_backward {
  geometry::Map y, dyg, dxg;
  const T* py;
  const T* mask;
  const T* dy;
  T* dx;
  auto pointers() { return std::tie(py, mask, dy, dx); }
};
/// y = (x - shift(c)) / divisor(c); backward is the same call with shift null
template <class T> struct affine_channels {
  geometry::Map x, y;
  const T* px;
  const T* shift;
  const T* divisor;
  T* py;
  auto pointers() { return std::tie(px, shift, divisor, py); }
};
/// y = keep(i) ? x / (1 - p) : x - x, which is 0, or NaN where x is not finite (PyTorch multiplies
/// by 0) keep regenerated from (values, purpose, draw, site, element), element counted by sample id
/// and position
template <class T> struct dropout {
  geometry::Map x, y;
  double p;
  std::uint64_t draw, site, first_sample;
  const StepValues* values;
  const T* px;
  T* py;
  auto pointers() { return std::tie(values, px, py); }
};

}  // namespace rnx::inline RNX_ABI::op
