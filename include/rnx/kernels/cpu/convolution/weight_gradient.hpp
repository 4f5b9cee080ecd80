// Weight gradient: dw(group, kh, kw, i, o) = sum over n, oh, ow of x(n, oh s - pad + kh, ow s - pad
// + kw, i) dy(n, oh, ow, o). Samples are cut into chunks that depend on sizes only; inside a chunk
// each element is one sum in the order of samples and pixels; chunks are added in order. 3x3
// kernels with stride 1 go by winograd_weight.hpp.
#pragma once

#include "rnx/kernels/cpu/convolution/winograd_weight.hpp"
#include "rnx/kernels/op/convolution.hpp"

namespace rnx::inline RNX_ISA::host {

/// Where blocks of rows lie, and the steps from pixel to pixel.
template <class T> struct PixelRows {
  const PixelRow<T>* rows;
  int count, pixels;
  long x_step, dy_step;
};

/// `length` rows of one (kh, kw) run of the gradient, V vectors of output channels.
template <int V, class T> void outer_rows(const PixelRows<T>& r, long length, T* dw, long pitch) {
  constexpr int P = V == 1 ? 12 : RNX_VECTOR_BYTES == 64 ? 8 : 6, whole = P == 6 ? 12 : P;
  long i = 0;
  // fours are left where channels are a multiple of four: nothing behind the last channel is read
  for (const long end = length / whole * whole; i < end; i += P)
    outer_tile<P, V>(r.rows, r.count, r.pixels, r.x_step, r.dy_step, i, dw + i * pitch, pitch, P);
  for (; i < length; i += 4)
    outer_tile<4, V>(r.rows, r.count, r.pixels, r.x_step, r.dy_step, i, dw + i * pitch, pitch,
                     int(smaller(length - i, 4l)));
}

/// The gradient of a block of input and output channels: the maps of g have the block's channels,
/// one group. Sums lie as (block of `pitch` output channels, kh, kw, i, pitch), so that a tile's
/// rows are neighbours.
template <class T> struct WeightGradient {
  geometry::Conv2d g;
  const T* x;
  const T* dy;
  Axis rows, cols;
  int pitch;  // 1 or 2 vectors

  WeightGradient(const geometry::Conv2d& block, const T* from_x, const T* from_dy)
      : g(block),
        x(from_x),
        dy(from_dy),
        rows(row_axis(g, false)),
        cols(column_axis(g, false)),
        pitch(smaller((g.y.c + vector_lanes<T> - 1) / vector_lanes<T>, 2) * vector_lanes<T>) {}
  long count() const { return long(g.kh) * g.kw * g.x.c; }

  /// Samples [n0, n1) into dw (kh, kw, i, o): `tap` elements from tap to tap, `row` from i to i.
  void run(int n0, int n1, T* dw, long tap, long row) const {
    const int out = g.y.c;
    const std::size_t size = std::size_t(out + pitch - 1) / pitch * pitch * count();
    T* sums = scratch<T>(slot_weights, size);
    std::memset(sums, 0, size * sizeof(T));
    add(n0, n1, sums);
    for (int o = 0; o < out; o += pitch)
      for (long k = 0; k < count(); ++k)
        std::memcpy(dw + k / g.x.c * tap + k % g.x.c * row + o, sums + o * count() + k * pitch,
                    smaller(pitch, out - o) * sizeof(T));
  }

  void add(int n0, int n1, T* sums) const {
    constexpr int L = vector_lanes<T>;
    const int in = g.x.c, out = g.y.c;
    // a few rows at a time, so that x and dy stay in the second-level cache beside the sums;
    // several samples when maps are small
    const int height = clamped(
        int(65536 / (sizeof(T) * (double(g.x.w) * in * g.stride + double(g.y.w) * out) + 1)), 1,
        g.y.h);
    const int samples =
        height < g.y.h ? 1 : clamped(256 / larger(g.y.h * g.y.w, 1), 1, larger(n1 - n0, 1));
    PixelRow<T>* list = scratch<PixelRow<T>>(slot_pixels, std::size_t(samples) * height);
    for (int n = n0; n < n1; n += samples)
      for (int r0 = 0; r0 < g.y.h; r0 += height) {
        const int n_end = smaller(n + samples, n1), r1 = smaller(r0 + height, g.y.h);
        // tiles read four channels at a time
        const Patch<T> px = gather(x, g.x, n, n_end, rows.low(r0), rows.high(r1), cols.low(0),
                                   cols.high(g.y.w), in, in % 4 != 0, slot_input);
        for (int o = 0; o < out; o += pitch) {
          geometry::Map ym = g.y;
          ym.c = smaller(pitch, out - o);
          // vectors end where channels end; pixels far apart would share few cache sets
          const bool copy = ym.c % L != 0 || g.y.stride > pitch;
          const Patch<T> py =
              gather(dy + o, ym, n, n_end, r0, r1, 0, g.y.w, pitch, copy, slot_gradient);
          block(px, py, n_end - n, r0, r1, ym.c, sums + o * count(), list);
        }
      }
  }

  void block(const Patch<T>& px, const Patch<T>& py, int samples, int r0, int r1, int channels,
             T* sums, PixelRow<T>* list) const {
    const int in = g.x.c;
    const bool single = g.y.h == 1 && g.y.w == 1;  // the samples are the pixels of one row
    const bool wide = px.pixel == in;              // kw and i are one run
    const long length = wide ? long(g.kw) * in : in;
    for (int kh = 0; kh < g.kh; ++kh)
      for (int kw = 0; kw < (wide ? 1 : g.kw); ++kw) {
        PixelRows<T> r{list, 0, single ? samples : g.y.w, single ? px.sample : g.stride * px.pixel,
                       single ? py.sample : py.pixel};
        for (int n = 0; n < (single ? 1 : samples); ++n)
          for (int row = r0; row < r1; ++row)
            list[r.count++] = {px.at(n, rows.base(row) + kh, cols.base(0) + kw), py.at(n, row, 0)};
        T* to = sums + (long(kh) * g.kw + kw) * in * pitch;
        if (channels > vector_lanes<T>)
          outer_rows<2>(r, length, to, pitch);
        else
          outer_rows<1>(r, length, to, pitch);
      }
  }
};

/// Direct sums. Tasks are blocks of channels whose sums stay in the second-level cache, and chunks
/// of samples where blocks are few.
template <class T>
void direct_weight_gradient(const geometry::Conv2d& g, const T* x, const T* dy, T* dw) {
  const int in = g.in(), out = g.out(), taps = g.kh * g.kw, n = g.x.n;
  const int width = 64, height = clamped(64 * 9 / taps / 8 * 8, 8, taps == 1 ? 128 : 64);
  const int tall = (in + height - 1) / height, wide = (out + width - 1) / width;
  const long blocks = long(g.groups) * tall * wide, count = long(g.groups) * taps * in * out;
  if (count == 0) return;
  const long chunks = clamped(16 / blocks, 1l, long(larger(n, 1)));
  T* const partial = chunks == 1 ? dw : scratch<T>(slot_partial, std::size_t(chunks) * count);
  parallel_for(
      chunks * blocks,
      [&](long task) {
        const long chunk = task / blocks, group = task % blocks / (tall * wide);
        const int i = int(task / wide % tall) * height, o = int(task % wide) * width;
        geometry::Conv2d block = g;
        block.groups = 1;
        block.x.c = smaller(height, in - i);
        block.y.c = smaller(width, out - o);
        const WeightGradient<T> w(block, x + group * in + i, dy + group * out + o);
        T* const to = partial + chunk * count + (group * taps * in + i) * out + o;
        w.run(int(chunk_begin(n, chunks, chunk)), int(chunk_begin(n, chunks, chunk + 1)), to,
              long(in) * out, out);
      },
      2.0 * count * g.y.n * g.y.h * g.y.w);
  if (chunks > 1) add_partial(partial, chunks, count, dw);
}

/// Whether the weight gradient is summed by F(2x2, 3x3): measured. A function of the maps' shapes
/// only.
inline bool winograd_weight_wins(const geometry::Conv2d& g) {
  return RNX_WINOGRAD && g.groups == 1 && g.kh == 3 && g.kw == 3 && g.stride == 1 &&
         geometry::winograd_wins(g.x.c, g.y.c, g.y.h, g.y.w);
}

}  // namespace rnx::inline RNX_ISA::host

namespace rnx::inline RNX_ISA {

template <class T> struct kernel<cpu, op::conv2d_backward_weight<T>> {
  static void run(Stream, const op::conv2d_backward_weight<T>& a) {
    const geometry::Conv2d g = a.sizes();
    if (host::winograd_weight_wins(g))
      host::winograd_weight_gradient(g, a.x.data, a.dy.data, a.dw);
    else
      host::direct_weight_gradient(g, a.x.data, a.dy.data, a.dw);
  }
};

}  // namespace rnx::inline RNX_ISA
