// How a sample is cut out of a picture: a window, which may reach beyond it, mirrored or not.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "rnx/core/dims.hpp"

namespace rnx::inline RNX_ISA::data {

/// A picture, in the size in which it is cut, and the shape of a sample.
struct Frame {
  long h = 0, w = 0;
  Dims sample{};
};

/// Which window of the picture a sample is.
struct Placement {
  long top = 0, left = 0;  ///< of the window, relative to the picture
  bool flip = false;       ///< the window is mirrored, left and right
  bool reflect = false;    ///< beyond the picture lies its mirror image (else: zeros)
};

/// The middle of the picture, as it is.
inline Placement centre(const Frame& frame) {
  return {.top = (frame.h - frame.sample.h) / 2, .left = (frame.w - frame.sample.w) / 2};
}

/// Rows [top, top + h) and columns [left, left + w) of a picture, in bytes.
struct Patch {
  const std::uint8_t* pixels = nullptr;  ///< (h, w, c)
  long top = 0, left = 0, h = 0, w = 0;
};

namespace detail {

/// Place i of a line of n pixels, where lines go on as their mirror images; the edge is not
/// repeated.
constexpr long mirrored(long i, long n) { return i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i; }

/// [begin, end) of n pixels: those that a window of `count` from `first` on is made of. Empty:
/// begin >= end.
constexpr std::pair<long, long> reach(long first, long count, long n, bool reflect) {
  const long begin = std::max(first, 0L), end = std::min(first + count, n);
  if (!reflect) return {begin, end};
  return {first + count > n ? std::min(begin, mirrored(first + count - 1, n)) : begin,
          first < 0 ? std::max(end, -first + 1) : end};
}

/// Reverses the order of w pixels of c channels (0: of `channels`).
template <int c> void mirror(float* line, int w, int channels = c) {
  for (int x = 0; x < w / 2; ++x)
    for (int k = 0; k < (c ? c : channels); ++k)
      std::swap(line[x * (c ? c : channels) + k], line[(w - 1 - x) * (c ? c : channels) + k]);
}

}  // namespace detail

/// What of the picture has to be known for a window: its pixels are null.
inline Patch needed(const Frame& frame, const Placement& p) {
  const auto [top, bottom] = detail::reach(p.top, frame.sample.h, frame.h, p.reflect);
  const auto [left, right] = detail::reach(p.left, frame.sample.w, frame.w, p.reflect);
  return {
      .top = top, .left = left, .h = std::max(bottom - top, 0L), .w = std::max(right - left, 0L)};
}

/// The window, (h, w, c) in [0, 1]: byte / 255. The patch holds what is needed() for it.
inline void cut(const Patch& patch, const Frame& frame, const Placement& p, float* out) {
  const int h = frame.sample.h, w = frame.sample.w, c = frame.sample.c;
  // columns [x0, x1) of the window lie within the picture
  const long x0 = std::clamp(-p.left, 0L, long(w)), x1 = std::clamp(frame.w - p.left, x0, long(w));
  for (int y = 0; y < h; ++y, out += long(w) * c) {
    const bool inside = y + p.top >= 0 && y + p.top < frame.h && x0 < x1;
    if (!inside && !p.reflect) {
      std::fill(out, out + long(w) * c, 0.0f);
      continue;
    }
    const long row = p.reflect ? detail::mirrored(y + p.top, frame.h) : y + p.top;
    const std::uint8_t* line = patch.pixels + (row - patch.top) * patch.w * c;
    const auto copy = [&](long x, long column, long pixels) {
      const std::uint8_t* from = line + (column - patch.left) * c;
      float* to = out + x * c;
      for (long k = 0; k < pixels * c; ++k) to[k] = float(from[k]) / 255.0f;
    };
    const auto beyond = [&](long begin, long end) {
      if (!p.reflect) std::fill(out + begin * c, out + end * c, 0.0f);
      for (long x = begin; p.reflect && x < end; ++x)
        copy(x, detail::mirrored(x + p.left, frame.w), 1);
    };
    beyond(0, x0);
    if (x0 < x1) copy(x0, x0 + p.left, x1 - x0);
    beyond(x1, w);
    if (p.flip && c == 3)
      detail::mirror<3>(out, w);
    else if (p.flip)
      detail::mirror<0>(out, w, c);
  }
}

}  // namespace rnx::inline RNX_ISA::data
