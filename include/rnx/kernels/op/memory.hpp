// Operations that move and add memory.
#pragma once

#include "rnx/kernels/kernel.hpp"

namespace rnx::inline RNX_ABI::op {

/// y[i] = value
struct fill {
  template <class T> struct Args {
    std::size_t count;
    T value;
    T* y;
    auto pointers() { return std::tie(y); }
  };
};
/// y = x over active channels; the two maps have equal sizes, strides may differ
struct copy {
  template <class T> struct Args {
    geometry::Map x, y;
    const T* from;
    T* to;
    auto pointers() { return std::tie(from, to); }
  };
};
/// y += x over active channels (only joins and seeds add). consumed: nothing reads x afterwards.
struct accumulate {
  template <class T> struct Args {
    geometry::Map x, y;
    const T* from;
    T* to;
    bool consumed = false;
    auto pointers() { return std::tie(from, to); }
  };
};
/// y = a + b over active channels
struct add {
  template <class T> struct Args {
    geometry::Map a, b, y;
    const T* pa;
    const T* pb;
    T* py;
    auto pointers() { return std::tie(pa, pb, py); }
  };
};
/// y[i] += alpha x[i], flat
struct axpy {
  template <class T> struct Args {
    std::size_t count;
    T alpha;
    const T* x;
    T* y;
    auto pointers() { return std::tie(x, y); }
  };
};
/// y = x s(n, c): x (n, h, w, c), s one value per sample and channel (squeeze-excite, Hu et al.
/// 2018, eq. 4)
struct scale_channels {
  template <class T> struct Args {
    geometry::Map x, s, y;
    const T* px;
    const T* ps;
    T* py;
    auto pointers() { return std::tie(px, ps, py); }
  };
};
/// ds(n, c) = sum over pixels of dy x
struct scale_channels_gate {
  template <class T> struct Args {
    geometry::Map x, s;
    const T* px;
    const T* dy;
    T* ds;
    geometry::Map dyg;
    auto pointers() { return std::tie(px, dy, ds); }
  };
};
/// Option A shortcut (He et al. 2016): every stride-th pixel, zero channels padded `before` in
/// front and the rest behind.
struct pad_shortcut {
  template <class T> struct Args {
    geometry::Map x, y;
    int stride, before;
    const T* px;
    T* py;
    auto pointers() { return std::tie(px, py); }
  };
};
/// dx = the transpose of pad_shortcut, assigned
struct pad_shortcut_backward {
  template <class T> struct Args {
    geometry::Map x, y;
    int stride, before;
    const T* dy;
    T* dx;
    auto pointers() { return std::tie(dy, dx); }
  };
};
/// F(n, h, w) = sum over channels of x^2 (Zagoruyko & Komodakis 2017): the attention map of an
/// activation
struct attention_map {
  template <class T> struct Args {
    geometry::Map x;
    const T* px;
    T* f;
    auto pointers() { return std::tie(px, f); }
  };
};
/// dx += 2 x df
struct attention_map_backward {
  template <class T> struct Args {
    geometry::Map x, dxg;
    const T* px;
    const T* df;
    T* dx;
    auto pointers() { return std::tie(px, df, dx); }
  };
};

}  // namespace rnx::inline RNX_ABI::op
