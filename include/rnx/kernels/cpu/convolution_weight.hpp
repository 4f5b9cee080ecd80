// Weight gradient: dw(group, kh, kw, i, o) = sum over n, oh, ow of x(n, oh s - pad + kh, ow s - pad + kw, i) dy(n, oh, ow, o).
// Samples are cut into fixed chunks; inside a chunk each element is one sum in the order of samples and pixels; chunks add in order.
#pragma once

#include "rnx/kernels/cpu/tile.hpp"
#include "rnx/kernels/op/convolution.hpp"

namespace rnx::inline RNX_ISA::host {

/// Where a row of pixels starts in x and dy.
template <class T>
struct PixelRow { const T* x; const T* dy; };

/// dw(i, o) += sum over rows of pixels of x(i) dy(o): P of i (`count` of them stored), V vectors of o.
template <int P, int V, class T>
void outer_tile(const PixelRow<T>* rows, int row_count, int pixels, long x_step, long dy_step, long i, T* dw, long pitch, int count) {
  constexpr int L = vector_lanes<T>;
  vec<T> acc[P][V];
#pragma GCC unroll 16
  for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) acc[p][v] = load<L>(dw + smaller(p, count - 1) * pitch + v * L);
  for (int r = 0; r < row_count; ++r) {
    const T* x = rows[r].x + i;
    const T* dy = rows[r].dy;
    for (int q = 0; q < pixels; ++q, x += x_step, dy += dy_step) {
      vec<T> row[V];
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) row[v] = load<L>(dy + v * L);
#pragma GCC unroll 16
      for (int p = 0; p < P; ++p) {
        const T value = x[p];
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) acc[p][v] += value * row[v];
      }
    }
  }
#pragma GCC unroll 16
  for (int p = 0; p < P; ++p)
    if (p < count)
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) store(dw + p * pitch + v * L, acc[p][v]);
}

/// Where blocks of rows lie, and the steps from pixel to pixel.
template <class T>
struct PixelRows { const PixelRow<T>* rows; int count, pixels; long x_step, dy_step; };

/// Rows [i0, i1) of one (kh, kw) run of the gradient, V vectors of output channels.
template <int V, class T>
void outer_rows(const PixelRows<T>& r, long i0, long i1, T* dw, long pitch) {
  constexpr int P = V == 1 || RNX_VECTOR_BYTES == 64 ? 12 : 6;
  long i = i0;
  // whole twelves, so that fours are left where channels are a multiple of four: nothing behind the last channel is read
  for (const long end = i0 + (i1 - i0) / 12 * 12; i < end; i += P)
    outer_tile<P, V>(r.rows, r.count, r.pixels, r.x_step, r.dy_step, i, dw + (i - i0) * pitch, pitch, P);
  for (; i < i1; i += 4)
    outer_tile<4, V>(r.rows, r.count, r.pixels, r.x_step, r.dy_step, i, dw + (i - i0) * pitch, pitch, int(smaller(i1 - i, 4l)));
}

/// Partial sums lie as (block of `pitch` output channels, group, kh, kw, i, pitch), so that a tile's rows are neighbours.
template <class T>
struct WeightGradient {
  geometry::Conv2d g;
  const T* x;
  const T* dy;
  int vectors, pitch;  // of one group's output channels; 1 or 2 vectors
  Axis rows, cols;

  long count() const { return long(g.groups) * g.kh * g.kw * g.in(); }
  long part() const { return (long(vectors) * vector_lanes<T> + pitch - 1) / pitch * pitch * count(); }

  /// Adds samples [n0, n1) to `dw`: one of `shares` parts of the input channels.
  void add(int n0, int n1, long share, long shares, T* dw) const {
    constexpr int L = vector_lanes<T>;
    const int in = g.in(), out = g.out();
    // a few rows at a time, so that x and dy stay in the first-level cache; several samples when maps are small
    const int height = clamped(int(24576 / (sizeof(T) * (double(g.x.w) * g.x.c * g.stride + double(g.y.w) * g.y.c) + 1)), 1, g.y.h);
    const int samples = clamped(64 / larger(g.y.h * g.y.w, 1), 1, larger(n1 - n0, 1));
    PixelRow<T>* list = scratch<PixelRow<T>>(slot_pixels, std::size_t(samples) * height);
    for (int n = n0; n < n1; n += samples)
      for (int r0 = 0; r0 < g.y.h; r0 += height) {
        const int n_end = smaller(n + samples, n1), r1 = smaller(r0 + height, g.y.h);
        // tiles read four channels at a time
        const Patch<T> px = gather(x, g.x, n, n_end, rows.low(r0), rows.high(r1), cols.low(0), cols.high(g.y.w), g.x.c, in % 4 != 0,
                                   slot_input);
        for (int group = 0; group < g.groups; ++group)
          for (int o = 0; o < out; o += pitch) {
            geometry::Map ym = g.y;
            ym.c = smaller(pitch, out - o);
            // vectors end where channels end; pixels far apart would share few cache sets
            const bool copy = ym.c % L != 0 || out > pitch;
            const Patch<T> py = gather(dy + long(group) * out + o, ym, n, n_end, r0, r1, 0, g.y.w, pitch, copy, slot_gradient);
            block(px, py, n_end - n, r0, r1, group, share, shares, ym.c, dw + o * count(), list);
          }
      }
  }

  void block(const Patch<T>& px, const Patch<T>& py, int samples, int r0, int r1, int group, long share, long shares, int channels, T* dw,
             PixelRow<T>* list) const {
    const int in = g.in();
    const bool single = g.y.h == 1 && g.y.w == 1;  // the samples are the pixels of one row
    const bool wide = px.pixel == in;              // kw and i are one run
    const long length = wide ? long(g.kw) * in : in, tiles = (length + 11) / 12;
    const long i0 = 12 * chunk_begin(tiles, shares, share), i1 = smaller(length, 12 * chunk_begin(tiles, shares, share + 1));
    if (i0 >= i1) return;
    for (int kh = 0; kh < g.kh; ++kh)
      for (int kw = 0; kw < (wide ? 1 : g.kw); ++kw) {
        PixelRows<T> r{list, 0, single ? samples : g.y.w, single ? px.sample : g.stride * px.pixel, single ? py.sample : py.pixel};
        for (int n = 0; n < (single ? 1 : samples); ++n)
          for (int row = r0; row < r1; ++row)
            list[r.count++] = {px.at(n, rows.base(row) + kh, cols.base(0) + kw) + long(group) * in, py.at(n, row, 0)};
        T* to = dw + (((long(group) * g.kh + kh) * g.kw + kw) * in + i0) * pitch;
        if (channels > vector_lanes<T>) outer_rows<2>(r, i0, i1, to, pitch);
        else outer_rows<1>(r, i0, i1, to, pitch);
      }
  }
};

}  // namespace rnx::inline RNX_ISA::host

namespace rnx::inline RNX_ISA {

template <> struct kernel<cpu, op::conv2d_backward_weight> {
  template <class T>
  static void run(Stream, const op::conv2d_backward_weight::Args<T>& a) {
    using namespace host;
    const auto& g = a.g;
    const int out = g.out(), vectors = (out + vector_lanes<T> - 1) / vector_lanes<T>;
    const WeightGradient<T> w{g, a.x, a.dy, vectors, smaller(vectors, 2) * vector_lanes<T>, row_axis(g, false), column_axis(g, false)};
    const long rows = w.count(), chunks = clamped((1l << 20) / larger(rows * out, 1l), 1l, long(larger(1, smaller(16, g.x.n))));
    const long shares = clamped((threads() + chunks - 1) / chunks, 1l, (long(g.in()) + 11) / 12);
    T* partial = scratch<T>(slot_partial, std::size_t(chunks) * w.part());
    const double work = 2.0 * rows * out * g.y.n * g.y.h * g.y.w;
    if (shares > 1) std::memset(partial, 0, chunks * w.part() * sizeof(T));  // shares interleave in memory
    parallel_for(chunks * shares, [&](long task) {
      const long chunk = task / shares, begin = chunk_begin(g.x.n, chunks, chunk), end = chunk_begin(g.x.n, chunks, chunk + 1);
      if (shares == 1) std::memset(partial + chunk * w.part(), 0, w.part() * sizeof(T));
      w.add(int(begin), int(end), task % shares, shares, partial + chunk * w.part());
    }, work);
    parallel_for((rows + 63) / 64, [&](long block) {
      for (long r = block * 64; r < smaller(rows, block * 64 + 64); ++r) {
        for (int o = 0; o < out; o += w.pitch) {
          T* dw = a.dw + r * out + o;
          const int width = smaller(w.pitch, out - o);
          for (long chunk = 0; chunk < chunks; ++chunk) {
            const T* from = partial + chunk * w.part() + o * rows + r * w.pitch;
            if (chunk == 0) for (int i = 0; i < width; ++i) dw[i] = from[i];
            else for (int i = 0; i < width; ++i) dw[i] += from[i];
          }
        }
      }
    }, double(chunks) * rows * out);
  }
};

}  // namespace rnx::inline RNX_ISA
