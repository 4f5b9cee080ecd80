// Depthwise convolution: y(n, oh, ow, c) = sum over kh, kw of x(n, oh s - pad + kh, ow s - pad +
// kw, c) w(kh, kw, c), and its gradients. Vectors run over channels; pixels are copied with
// channels padded to whole vectors, so that only stores have tails.
#pragma once

#include "rnx/kernels/cpu/convolution/tile.hpp"
#include "rnx/kernels/op/convolution.hpp"

namespace rnx::inline RNX_ISA::host {

/// (taps, c) to (taps, c padded to vectors), taps in reverse for the transposed sum.
template <class T> const T* pad_depthwise(const T* w, int taps, int c, int pitch, bool flip) {
  T* to = scratch<T>(slot_weights, std::size_t(taps) * pitch);
  for (int t = 0; t < taps; ++t) {
    const T* from = w + long(flip ? taps - 1 - t : t) * c;
    for (int i = 0; i < pitch; ++i) to[t * pitch + i] = i < c ? from[i] : T(0);
  }
  return to;
}

template <class T> struct Depthwise {
  geometry::Map src, dst;
  Axis rows, cols;
  int pitch;
  const T* x;
  const T* w;
  T* y;
  Epilogue<T> epilogue;

  /// P destination pixels, `step` source elements apart, all channels.
  template <int P>
  void pixels(const T* from, long step, const Run* runs, int count, T* to, long to_step) const {
    constexpr int L = vector_lanes<T>;
    for (int j = 0; j < dst.c; j += L) {
      vec<T> acc[P] = {};
      for (int r = 0; r < count; ++r) {
        const vec<T> row = load<L>(w + runs[r].w + j);
        const T* at = from + runs[r].x + j;
#pragma GCC unroll 8
        for (int p = 0; p < P; ++p) acc[p] += load<L>(at + p * step) * row;
      }
#pragma GCC unroll 8
      for (int p = 0; p < P; ++p) epilogue.store(to + p * to_step, acc[p], j, dst.c - j);
    }
  }

  void block(int n, int r0, int r1) const {
    const bool copy = dst.c % vector_lanes<T> != 0;
    const Patch<T> patch = gather(x, src, n, n + 1, rows.low(r0), rows.high(r1), cols.low(0),
                                  cols.high(dst.w), pitch, copy, slot_input);
    Run* runs = scratch<Run>(slot_runs, std::size_t(rows.kernel) * cols.kernel);
    for (int r = r0; r < r1; ++r)
      for (int b = 0; b < cols.phases(); ++b) {
        const int a = rows.transposed ? (r + rows.pad) % rows.stride : 0;
        int count = 0;
        for (int t = 0; t < rows.taps(a); ++t)
          for (int u = 0; u < cols.taps(b); ++u)
            runs[count++] = {t * patch.row + u * patch.pixel,
                             (long(rows.weight(a, t)) * cols.kernel + cols.weight(b, u)) * pitch};
        const int jump = cols.phases();
        const long step = (cols.transposed ? 1 : cols.stride) * patch.pixel,
                   to_step = long(jump) * dst.stride;
        T* const row = y + n * dst.sample() + long(r) * dst.w * dst.stride;
        int q = cols.first(b);
        const auto from = [&](int column) { return patch.at(0, rows.base(r), cols.base(column)); };
        for (; q + 3 * jump < dst.w; q += 4 * jump)
          pixels<4>(from(q), step, runs, count, row + long(q) * dst.stride, to_step);
        for (; q < dst.w; q += jump)
          pixels<1>(from(q), step, runs, count, row + long(q) * dst.stride, to_step);
      }
  }

  void run() const {
    if (dst.n <= 0) return;
    const Blocks b = blocks(dst.n, rows, larger(dst.w, 65), double(src.w) * pitch * sizeof(T));
    parallel_for(
        b.tasks,
        [&](long task) {
          const int n = int(task / b.row_blocks), r0 = int(task % b.row_blocks) * b.rows;
          block(n, r0, smaller(r0 + b.rows, dst.h));
        },
        2.0 * dst.n * dst.h * dst.w * dst.c * rows.taps(0) * cols.taps(0));
  }
};

/// dw(tap, c) += x dy over the pixels of samples [n0, n1).
template <class T>
void depthwise_weight(const geometry::Conv2d& g, const T* x, const T* dy, int n0, int n1, int pitch,
                      T* dw) {
  constexpr int L = vector_lanes<T>;
  const Axis rows = row_axis(g, false), cols = column_axis(g, false);
  const bool copy = g.x.c % L != 0;
  for (int n = n0; n < n1; ++n) {
    const Patch<T> px = gather(x, g.x, n, n + 1, rows.low(0), rows.high(g.y.h), cols.low(0),
                               cols.high(g.y.w), pitch, copy, slot_input);
    const Patch<T> py = gather(dy, g.y, n, n + 1, 0, g.y.h, 0, g.y.w, pitch, copy, slot_gradient);
    for (int j = 0; j < g.x.c; j += L)
      for (int kh = 0; kh < g.kh; ++kh)
        for (int kw = 0; kw < g.kw; kw += 4) {
          const int count =
              smaller(4, g.kw - kw);  // up to four taps at once; the missing ones repeat the first
          T* to = dw + (long(kh) * g.kw + kw) * pitch + j;
          const long tap[4] = {0, count > 1 ? px.pixel : 0, count > 2 ? 2 * px.pixel : 0,
                               count > 3 ? 3 * px.pixel : 0};
          vec<T> acc[4];
          for (int t = 0; t < 4; ++t) acc[t] = load<L>(to + (t < count ? t : 0) * long(pitch));
          for (int r = 0; r < g.y.h; ++r) {
            const T* from = px.at(0, rows.base(r) + kh, cols.base(0) + kw) + j;
            const T* grad = py.at(0, r, 0) + j;
            for (int q = 0; q < g.y.w; ++q, from += g.stride * px.pixel, grad += py.pixel) {
              const vec<T> v = load<L>(grad);
#pragma GCC unroll 4
              for (int t = 0; t < 4; ++t) acc[t] += load<L>(from + tap[t]) * v;
            }
          }
          for (int t = 0; t < count; ++t) store(to + t * long(pitch), acc[t]);
        }
  }
}

}  // namespace rnx::inline RNX_ISA::host

namespace rnx::inline RNX_ISA {

template <class T> struct kernel<cpu, op::depthwise_forward<T>> {
  static void run(Stream, const op::depthwise_forward<T>& a) {
    using namespace host;
    const geometry::Conv2d g = a.sizes();
    const int pitch = int(round_up(g.y.c, vector_lanes<T>));
    const T* w = pad_depthwise(a.w, g.kh * g.kw, g.y.c, pitch, false);
    Depthwise<T>{g.x,      g.y, row_axis(g, false), column_axis(g, false),          pitch,
                 a.x.data, w,   a.y.data,           {a.bias, a.scale, a.accumulate}}
        .run();
  }
};

template <class T> struct kernel<cpu, op::depthwise_backward_input<T>> {
  static void run(Stream, const op::depthwise_backward_input<T>& a) {
    using namespace host;
    const geometry::Conv2d g = a.sizes();
    const int pitch = int(round_up(g.y.c, vector_lanes<T>));
    const T* w = pad_depthwise(a.w, g.kh * g.kw, g.y.c, pitch, true);
    Depthwise<T>{g.y,       g.x, row_axis(g, true), column_axis(g, true), pitch, a.dy.data, w,
                 a.dx.data, {}}
        .run();
  }
};

template <class T> struct kernel<cpu, op::depthwise_backward_weight<T>> {
  static void run(Stream, const op::depthwise_backward_weight<T>& a) {
    using namespace host;
    const geometry::Conv2d g = a.sizes();
    const int pitch = int(round_up(g.y.c, vector_lanes<T>)), taps = g.kh * g.kw;
    const long part = long(taps) * pitch, chunks = larger(1, smaller(16, g.x.n));
    T* partial = scratch<T>(slot_partial, chunks * part);
    std::memset(partial, 0, chunks * part * sizeof(T));
    parallel_for(
        chunks,
        [&](long k) {
          depthwise_weight(g, a.x.data, a.dy.data, int(chunk_begin(g.x.n, chunks, k)),
                           int(chunk_begin(g.x.n, chunks, k + 1)), pitch, partial + k * part);
        },
        2.0 * g.y.rows() * g.y.c * taps);
    for (int t = 0; t < taps; ++t)
      for (int c = 0; c < g.y.c; ++c) {
        T sum = partial[long(t) * pitch + c];
        for (long k = 1; k < chunks; ++k) sum += partial[k * part + long(t) * pitch + c];
        a.dw[long(t) * g.y.c + c] = sum;
      }
  }
};

}  // namespace rnx::inline RNX_ISA
