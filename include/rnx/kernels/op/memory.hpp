// Operations that move and add memory.
#pragma once

#include "rnx/kernels/kernel.hpp"

namespace rnx::inline RNX_ABI::op {

/// y[i] = value
template <class T> struct fill {
  std::size_t count;
  T value;
  T* y;
  auto pointers() { return std::tie(y); }
};
/// y = x over active channels; the two maps have equal sizes, strides may differ
template <class T> struct copy {
  geometry::Map x, y;
  const T* from;
  T* to;
  auto pointers() { return std::tie(from, to); }
};
/// y += x over active channels (only joins and seeds add). consumed: nothing reads x afterwards.
template <class T> struct accumulate {
  geometry::Map x, y;
  const T* from;
  T* to;
  bool consumed = false;
  auto pointers() { return std::tie(from, to); }
};
/// y = a + b over active channels
template <class T> struct add {
  geometry::Map a, b, y;
  const T* pa;
  const T* pb;
  T* py;
  auto pointers() { return std::tie(pa, pb, py); }
};
/// y[i] += alpha x[i], flat
template <class T> struct axpy {
  std::size_t count;
  T alpha;
  const T* x;
  T* y;
  auto pointers() { return std::tie(x, y); }
};
/// y = x s(n, c): x (n, h, w, c), s one value per sample and channel (squeeze-excite, Hu et al.
/// 2018, eq. 4)
template <class T> struct scale_channels {
  geometry::Map x, s, y;
  const T* px;
  const T* ps;
  T* py;
  auto pointers() { return std::tie(px, ps, py); }
};
/// ds(n, c) = sum over pixels of dy x
template <class T> struct scale_channels_gate {
  geometry::Map x, s;
  const T* px;
  const T* dy;
  T* ds;
  geometry::Map dyg;
  auto pointers() { return std::tie(px, dy, ds); }
};
/// Option A shortcut (He et al. 2016): every stride-th pixel, zero channels padded `before` in
/// front and the rest behind.
template <class T> struct pad_shortcut {
  geometry::Map x, y;
  int stride, before;
  const T* px;
  T* py;
  auto pointers() { return std::tie(px, py); }
};
/// dx = the transpose of pad_shortcut, assigned
template <class T> struct pad_shortcut_backward {
  geometry::Map x, y;
  int stride, before;
  const T* dy;
  T* dx;
  auto pointers() { return std::tie(dy, dx); }
};
/// F(n, h, w) = sum over channels of x^2 (Zagoruyko & Komodakis 2017): the attention map of an
/// activation
template <class T> struct attention_map {
  geometry::Map x;
  const T* px;
  T* f;
  auto pointers() { return std::tie(px, f); }
};
/// dx += 2 x df
template <class T> struct attention_map_backward {
  geometry::Map x, dxg;
  const T* px;
  const T* df;
  T* dx;
  auto pointers() { return std::tie(px, df, dx); }
};

}  // namespace rnx::inline RNX_ABI::op
