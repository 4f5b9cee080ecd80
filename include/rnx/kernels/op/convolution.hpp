// Convolutions. Packed weights: forward (group, kh, kw, i, o padded to 16), backward (group, kh, kw
// flipped, o, i padded to 16).
#pragma once

#include "rnx/kernels/kernel.hpp"

namespace rnx::inline RNX_ABI::op {

/// Packs the active corner of theta (o, i, kh, kw) into one or both forms; null: unwanted.
/// winograd: for F(2x2, 3x3).
template <class T> struct pack_weights {
  geometry::Weights g;
  const T* theta;
  T* forward;
  T* backward;
  bool winograd_forward = false, winograd_backward = false;
  auto pointers() { return std::tie(theta, forward, backward); }
};
/// theta's gradient += the dense gradient (group, kh, kw, i, o) of conv2d_backward_weight
template <class T> struct unpack_gradient {
  geometry::Weights g;
  const T* dense;
  T* dtheta;
  auto pointers() { return std::tie(dense, dtheta); }
};
/// y = [y +] scale (x * w) [+ bias]. scale: one value per output channel or null (1); accumulate
/// adds to y. The product is formed first and rounded, then scaled, then added: packed binary
/// kernels compute the same expression.
template <class T> struct conv2d_forward {
  Map<const T> x;
  const T* w;
  const T* bias = nullptr;
  const T* scale = nullptr;
  Map<T> y;
  geometry::Filter filter;
  bool accumulate = false;
  RNX_SHARED geometry::Conv2d sizes() const { return {x, y, filter}; }
  auto pointers() { return std::tie(x.data, w, bias, scale, y.data); }
};
/// dx = transposed convolution of dy, assigned; w: the backward form
template <class T> struct conv2d_backward_input {
  Map<const T> dy;
  const T* w;
  Map<T> dx;
  geometry::Filter filter;
  RNX_SHARED geometry::Conv2d sizes() const { return {dx, dy, filter}; }
  auto pointers() { return std::tie(dy.data, w, dx.data); }
};
/// dw (group, kh, kw, i, o) dense = sum over samples and pixels of x dy, assigned. Summed in fixed
/// chunks of samples.
template <class T> struct conv2d_backward_weight {
  Map<const T> x;
  Map<const T> dy;
  T* dw;
  geometry::Filter filter;
  RNX_SHARED geometry::Conv2d sizes() const { return {x, dy, filter}; }
  auto pointers() { return std::tie(x.data, dy.data, dw); }
};
/// Depthwise: one kernel per channel; packed weights (kh, kw, c), as many groups as
/// channels.
template <class T> struct pack_depthwise {
  geometry::Weights g;
  const T* theta;
  T* packed;
  auto pointers() { return std::tie(theta, packed); }
};
template <class T> struct unpack_depthwise_gradient {
  geometry::Weights g;
  const T* dense;
  T* dtheta;
  auto pointers() { return std::tie(dense, dtheta); }
};
template <class T> struct depthwise_forward {
  Map<const T> x;
  const T* w;
  const T* bias = nullptr;
  const T* scale = nullptr;
  Map<T> y;
  geometry::Filter filter;
  bool accumulate = false;
  RNX_SHARED geometry::Conv2d sizes() const { return {x, y, filter}; }
  auto pointers() { return std::tie(x.data, w, bias, scale, y.data); }
};
template <class T> struct depthwise_backward_input {
  Map<const T> dy;
  const T* w;
  Map<T> dx;
  geometry::Filter filter;
  RNX_SHARED geometry::Conv2d sizes() const { return {dx, dy, filter}; }
  auto pointers() { return std::tie(dy.data, w, dx.data); }
};
/// dw (kh, kw, c), assigned
template <class T> struct depthwise_backward_weight {
  Map<const T> x;
  Map<const T> dy;
  T* dw;
  geometry::Filter filter;
  RNX_SHARED geometry::Conv2d sizes() const { return {x, dy, filter}; }
  auto pointers() { return std::tie(x.data, dy.data, dw); }
};
/// db(c) += sum over samples and pixels of dy
template <class T> struct bias_backward {
  Map<const T> dy;
  T* db;
  auto pointers() { return std::tie(dy.data, db); }
};
/// The summed tensor of several bases: y = sum over k of scale[k][o] base[k], bases (k, groups o, i
/// kh kw)
template <class T> struct sum_bases {
  int bases, rows;
  std::size_t row;
  const T* base;
  const T* scale;
  T* y;
  auto pointers() { return std::tie(base, scale, y); }
};

}  // namespace rnx::inline RNX_ABI::op
