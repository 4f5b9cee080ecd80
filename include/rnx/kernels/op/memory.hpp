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
  Map<const T> from;
  Map<T> to;
  auto pointers() { return std::tie(from.data, to.data); }
};
/// Sample i of `to` = sample rows[i] of `from`, over active channels; maps of equal sizes but for n
/// and stride
template <class T> struct gather_rows {
  Map<const T> from;
  Map<T> to;
  const std::int32_t* rows;  ///< one for each sample of `to`
  auto pointers() { return std::tie(from.data, to.data, rows); }
};
/// Sample rows[i] of `to` = sample i of `from`: the way back. The others stay as they are.
template <class T> struct scatter_rows {
  Map<const T> from;
  Map<T> to;
  const std::int32_t* rows;  ///< one for each sample of `from`; none twice
  auto pointers() { return std::tie(from.data, to.data, rows); }
};
/// y += x over active channels (only joins and seeds add). consumed: nothing reads x afterwards.
template <class T> struct accumulate {
  Map<const T> from;
  Map<T> to;
  bool consumed = false;
  auto pointers() { return std::tie(from.data, to.data); }
};
/// y = a + b over active channels
template <class T> struct add {
  Map<const T> a;
  Map<const T> b;
  Map<T> y;
  auto pointers() { return std::tie(a.data, b.data, y.data); }
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
  Map<const T> x;
  Map<const T> s;
  Map<T> y;
  auto pointers() { return std::tie(x.data, s.data, y.data); }
};
/// ds(n, c) = sum over pixels of dy x
template <class T> struct scale_channels_gate {
  Map<const T> x;
  Map<const T> dy;
  Map<T> ds;
  auto pointers() { return std::tie(x.data, dy.data, ds.data); }
};
/// Option A shortcut (He et al. 2016): every stride-th pixel, zero channels padded `before` in
/// front and the rest behind.
template <class T> struct pad_shortcut {
  Map<const T> x;
  Map<T> y;
  int stride;
  int before;
  auto pointers() { return std::tie(x.data, y.data); }
};
/// dx = the transpose of pad_shortcut, assigned
template <class T> struct pad_shortcut_backward {
  Map<const T> dy;
  Map<T> dx;
  int stride;
  int before;
  auto pointers() { return std::tie(dy.data, dx.data); }
};
/// F(n, h, w) = sum over channels of x^2 (Zagoruyko & Komodakis 2017): the attention map of an
/// activation
template <class T> struct attention_map {
  Map<const T> x;
  T* f;
  auto pointers() { return std::tie(x.data, f); }
};
/// dx += 2 x df
template <class T> struct attention_map_backward {
  Map<const T> x;
  Map<T> dx;
  const T* df;
  auto pointers() { return std::tie(x.data, dx.data, df); }
};

}  // namespace rnx::inline RNX_ABI::op
