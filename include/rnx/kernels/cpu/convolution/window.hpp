// The index arithmetic that convolutions and their transposes share: a destination pixel sums
// source pixels under a window of taps.
//
//   forward      source = d stride - pad + t                      every pixel has every tap
//   transposed   source = (d + pad - k) / stride where it divides: pixels of equal phase (d + pad)
//                mod stride share a set of taps,
//                so zeros are never multiplied; taps run in the order of the flipped weights
#pragma once

#include <cstring>

#include "rnx/kernels/cpu/vector.hpp"
#include "rnx/kernels/geometry.hpp"

namespace rnx::inline RNX_ISA::host {

/// One dimension of a windowed sum.
struct Axis {
  int dst, src, kernel, stride, pad;
  bool transposed;

  int phases() const { return transposed ? stride : 1; }
  int first(int phase) const {
    return transposed ? ((phase - pad) % stride + stride) % stride : 0;
  }  // first destination of a phase
  int taps(int phase) const {
    return !transposed ? kernel : phase < kernel ? (kernel - phase + stride - 1) / stride : 0;
  }
  /// Source index of destination d's first tap.
  int base(int d) const {
    return !transposed ? d * stride - pad : (d + pad) / stride - taps((d + pad) % stride) + 1;
  }
  /// Index of a tap in the (flipped, if transposed) weights.
  int weight(int phase, int tap) const {
    return !transposed ? tap : kernel - 1 - phase - stride * (taps(phase) - 1 - tap);
  }
  /// Source indices [low, high) that destinations [d0, d1) reach.
  int low(int d0) const {
    const int v = d0 + pad - kernel + 1;
    return !transposed ? d0 * stride - pad : v >= 0 ? (v + stride - 1) / stride : -(-v / stride);
  }
  int high(int d1) const {
    return larger(low(d1 - 1),
                  !transposed ? (d1 - 1) * stride - pad + kernel : (d1 - 1 + pad) / stride + 1);
  }
};

/// A single source pixel meets each destination once: a stride as long as the map makes every
/// destination a phase of its own.
inline Axis axis(int in, int out, int kernel, int stride, int pad, bool transposed) {
  if (!transposed) return {out, in, kernel, stride, pad, false};
  return {in, out, kernel, out == 1 ? larger(larger(stride, kernel), in + pad) : stride, pad, true};
}
inline Axis row_axis(const geometry::Conv2d& g, bool transposed) {
  return axis(g.x.h, g.y.h, g.kh, g.stride, g.pad_h, transposed);
}
inline Axis column_axis(const geometry::Conv2d& g, bool transposed) {
  return axis(g.x.w, g.y.w, g.kw, g.stride, g.pad_w, transposed);
}

/// Source pixels of a block, in place or copied behind a border of zeros.
template <class T> struct Patch {
  const T* data;
  long sample, row, pixel;  // steps
  int row0, col0;           // source index of data
  const T* at(int n, int r, int c) const {
    return data + n * sample + (r - row0) * row + (c - col0) * pixel;
  }
};

/// Samples [n0, n1), rows [r0, r1), columns [c0, c1) of src; copied to pixels of `pitch` elements
/// when some lie outside, or `always`.
template <class T>
Patch<T> gather(const T* src, const geometry::Map& m, int n0, int n1, int r0, int r1, int c0,
                int c1, int pitch, bool always, Slot slot) {
  const long row = long(m.w) * m.stride;
  if (!always && r0 >= 0 && r1 <= m.h && c0 >= 0 && c1 <= m.w)
    return {src + n0 * m.sample() + r0 * row + long(c0) * m.stride,
            long(m.sample()),
            row,
            m.stride,
            r0,
            c0};
  const long to_row = long(c1 - c0) * pitch;
  // the slack lets register tiles read past the last pixel
  T* const data = scratch<T>(slot, std::size_t(n1 - n0) * (r1 - r0) * to_row + 64);
  T* to = data;
  const int left = clamped(-c0, 0, c1 - c0), right = larger(left, smaller(c1, m.w) - c0);
  for (int n = n0; n < n1; ++n)
    for (int r = r0; r < r1; ++r, to += to_row) {
      if (r < 0 || r >= m.h) {
        std::memset(to, 0, to_row * sizeof(T));
        continue;
      }
      std::memset(to, 0, left * pitch * sizeof(T));
      const T* from = src + n * m.sample() + r * row + long(c0 + left) * m.stride;
      if (m.stride == m.c && pitch == m.c)
        std::memcpy(to + left * pitch, from, std::size_t(right - left) * pitch * sizeof(T));
      else
        for (int c = left; c < right; ++c, from += m.stride) {
          T* pixel = to + c * pitch;
          for (int i = 0; i < m.c; ++i) pixel[i] = from[i];
          for (int i = m.c; i < pitch; ++i) pixel[i] = 0;
        }
      std::memset(to + right * pitch, 0, (c1 - c0 - right) * pitch * sizeof(T));
    }
  std::memset(to, 0, 64 * sizeof(T));
  return {data, long(r1 - r0) * to_row, to_row, pitch, r0, c0};
}

/// How a windowed sum is cut into tasks: several small samples together, or rows of one.
struct Blocks {
  int samples, rows;
  long tasks;
  int row_blocks;
};

/// `pixels`: at least so many in a task, where the batch has them. `fixed`: the cut may not depend
/// on threads, since tasks sum something up.
inline Blocks blocks(int n, const Axis& rows, int width, double row_bytes, int pixels = 64,
                     bool fixed = false) {
  constexpr double bytes = 128 << 10;  // of gathered source rows
  const int sample = rows.dst * width,
            samples = clamped(pixels / larger(sample, 1), 1, larger(n, 1));
  int height = rows.dst;
  const auto span = [&](int h) { return (rows.high(h) - rows.low(0)) * row_bytes; };
  const auto tasks = [&](int h) {
    return long((n + samples - 1) / samples) * ((rows.dst + h - 1) / h);
  };
  while (height > 1 && height * width > pixels &&
         (span(height) > bytes || tasks(height) < (fixed ? 32 : 2 * threads())))
    height = (height + 1) / 2;
  return {samples, height, tasks(height), (rows.dst + height - 1) / height};
}

/// One tap, or several adjacent ones: where it starts in the source (relative to the pixel) and in
/// the weights.
struct Run {
  long x, w;
};

}  // namespace rnx::inline RNX_ISA::host
