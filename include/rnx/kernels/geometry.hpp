// Run-time sizes that kernels read: plain structs, no templates.
#pragma once

#include "rnx/tensor/view.hpp"

namespace rnx::inline RNX_ABI::geometry {

/// n samples of h x w pixels with c active channels; `stride` elements between pixels.
struct Map {
  int n = 0, h = 1, w = 1, c = 0, stride = 0;
  RNX_SHARED constexpr std::size_t rows() const { return std::size_t(n) * h * w; }
  RNX_SHARED constexpr std::size_t sample() const { return std::size_t(h) * w * stride; }
};

/// The sample of a row: rows may be chosen from a batch (SampleList::data), or null.
RNX_SHARED constexpr std::size_t sample_of(const std::int32_t* samples, std::size_t row) {
  return samples ? std::size_t(samples[row]) : row;
}

template <class T, class Device> Map map(const View<T, Device>& v) {
  return {v.n, v.dims.h, v.dims.w, v.dims.c, v.stride};
}

/// A dense map with `pad` pixels more on each side.
inline Map padded(Map m, int pad) { return {m.n, m.h + 2 * pad, m.w + 2 * pad, m.c, m.c}; }

/// How a convolution moves over its input: y(n, oh, ow, o) = sum over (kh, kw, i) of x(n, oh s -
/// pad + kh, ow s - pad + kw, i) w(kh, kw, i, o); groups split i and o alike.
struct Filter {
  int kh = 1, kw = 1, stride = 1, pad_h = 0, pad_w = 0, groups = 1;
  bool winograd = false;  // the weights are packed for F(2x2, 3x3)
};

/// The sizes of a convolution: a filter that takes x to y.
struct Conv2d : Filter {
  Map x, y;
  RNX_SHARED constexpr Conv2d(const Map& from, const Map& to, const Filter& filter)
      : Filter(filter),
        x(from),
        y(to) {}
  RNX_SHARED constexpr int in() const { return x.c / groups; }
  RNX_SHARED constexpr int out() const { return y.c / groups; }
};

/// Whether a 3x3 convolution of stride 1 takes F(2x2, 3x3) for a map of h x w outputs: tiles that
/// stick out must leave fewer products than the direct sum, by what the transforms cost, and few
/// channels do not pay for these (docs/benchmarks.md).
RNX_SHARED constexpr bool winograd_wins(int in, int out, int h, int w) {
  return in >= 16 && out >= 16 && 13 * 16 * ((h + 1) / 2) * ((w + 1) / 2) < 10 * 9 * h * w;
}

/// Channels of packed weights are padded to this many lanes on every instruction set.
constexpr int lanes = 16;

/// theta (o, i, kh, kw): the active corner of a possibly larger tensor (strides of the maxima), per
/// group.
struct Weights {
  int groups = 1, o = 0, i = 0, kh = 1, kw = 1;  // o, i: active, of one group
  long so = 0, si = 0, sh = 0, sw = 1, sg = 0;   // strides in theta; sg: from one group to the next
  RNX_SHARED constexpr std::size_t count() const { return std::size_t(groups) * o * i * kh * kw; }
  /// Elements of a form packed for Winograd's F(2x2, 3x3): 16 products, `outer` channels, the
  /// `inner` ones padded.
  RNX_SHARED static constexpr std::size_t packed_winograd(int outer, int inner) {
    return std::size_t(16) * outer * ((inner + lanes - 1) / lanes * lanes);
  }
  /// Elements of the packed forms (groups, kh, kw, i, round(o)) and (groups, kh, kw, o, round(i)).
  RNX_SHARED constexpr std::size_t packed_forward() const {
    return std::size_t(groups) * kh * kw * i * ((o + lanes - 1) / lanes * lanes);
  }
  RNX_SHARED constexpr std::size_t packed_backward() const {
    return std::size_t(groups) * kh * kw * o * ((i + lanes - 1) / lanes * lanes);
  }
};

/// Square windows of pooling; padding counts as absent.
struct Window {
  int kernel = 2, stride = 2, pad = 0;
};
/// The sizes of a pooling layer: windows over x, one for each pixel of y.
struct Pool : Window {
  Map x, y;
  RNX_SHARED constexpr Pool(const Map& from, const Map& to, const Window& window)
      : Window(window),
        x(from),
        y(to) {}
};

}  // namespace rnx::inline RNX_ABI::geometry

namespace rnx::inline RNX_ABI::op {

/// A map that an operation reads (T const) or writes: its sizes and where it lies. A view is one.
template <class T> struct Map : geometry::Map {
  T* data = nullptr;

  Map() = default;
  Map(const geometry::Map& sizes, T* where) : geometry::Map(sizes), data(where) {}
  template <class U, class Device>
  Map(const View<U, Device>& v) : geometry::Map(geometry::map(v)),
                                  data(v.data) {}
  template <class U>
  Map(const Map<U>& m) requires std::is_same_v<const U, T> : geometry::Map(m), data(m.data) {}
};

}  // namespace rnx::inline RNX_ABI::op
