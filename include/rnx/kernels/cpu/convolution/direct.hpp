// Convolution and its input gradient (their kernels are in fused.hpp): direct sums over
// channels-innermost maps, no im2col.
//   y(n, oh, ow, o)  = sum over kh, kw, i of x(n, oh s - pad + kh, ow s - pad + kw, i) w(kh, kw, i,
//                    o)
//   dx(n, ih, iw, i) = sum over kh, kw, o of dy w(kh flipped, kw flipped, o, i)        the same sum
//   over dy
// One accumulator per output, in the order kh, kw, i: its bits depend on nothing else, neither on n
// nor on threads.
#pragma once

#include "rnx/kernels/cpu/convolution/tile.hpp"
#include "rnx/kernels/op/convolution.hpp"

namespace rnx::inline RNX_ISA::host {

template <class T> struct Convolution {
  geometry::Map src, dst;
  Axis rows, cols;
  int groups;
  const T* x;
  const T* w;
  T* y;
  Epilogue<T> epilogue;
  bool winograd = false;

  /// Weights that do not stay in the second-level cache with what else a task needs.
  bool large_weights() const {
    return double(rows.kernel) * cols.kernel * (src.c / groups) * (dst.c / groups) * sizeof(T) >
           (512 << 10);
  }
};

template <class T> Convolution<T> forward(const op::conv2d_forward<T>& a) {
  const geometry::Conv2d g = a.sizes();
  return {.src = a.x,
          .dst = a.y,
          .rows = row_axis(g, false),
          .cols = column_axis(g, false),
          .groups = g.groups,
          .x = a.x.data,
          .w = a.w,
          .y = a.y.data,
          .epilogue = {a.bias, a.scale, a.accumulate},
          .winograd = g.winograd};
}
template <class T> Convolution<T> backward_input(const op::conv2d_backward_input<T>& a) {
  const geometry::Conv2d g = a.sizes();
  return {.src = a.dy,
          .dst = a.dx,
          .rows = row_axis(g, true),
          .cols = column_axis(g, true),
          .groups = g.groups,
          .x = a.dy.data,
          .w = a.w,
          .y = a.dx.data,
          .epilogue = {},
          .winograd = g.winograd};
}

/// The taps of one phase, adjacent ones merged. Returns the length of a run.
template <class T>
int merge_taps(const Convolution<T>& c, const Patch<T>& patch, int in, int a, int b, Run* runs,
               int& count) {
  const int kh = c.rows.taps(a), kw = c.cols.taps(b);
  const auto run = [](const Axis& axis, int phase) {
    return axis.taps(phase) <= 1 || axis.weight(phase, 1) == axis.weight(phase, 0) + 1;
  };
  const bool whole = patch.pixel == in && run(c.cols, b);
  const bool map = whole && patch.row == long(kw) * in && kw == c.cols.kernel && run(c.rows, a);
  count = 0;
  if (kh == 0 || kw == 0) return 0;
  for (int t = 0; t < (map ? 1 : kh); ++t)
    for (int u = 0; u < (whole ? 1 : kw); ++u)
      runs[count++] = {t * patch.row + u * patch.pixel,
                       (long(c.rows.weight(a, t)) * c.cols.kernel + c.cols.weight(b, u)) * in};
  return in * (whole ? kw : 1) * (map ? kh : 1);
}

/// Columns [at, at + width) of many rows of weights, copied side by side: rows far apart would
/// share few cache sets and touch a page each.
template <class T> Taps<T> adjacent(const Taps<T>& taps, long rows, int at, int width) {
  T* to = scratch<T>(slot_weights, std::size_t(rows) * width);
  for (long r = 0; r < rows; ++r)
    std::memcpy(to + r * width, taps.w + r * taps.pitch + at, width * sizeof(T));
  return {taps.runs, taps.count, taps.length, to - at, width};
}

/// Samples [n0, n1), rows [r0, r1) of the destination, vectors [v0, v1) of every group's output
/// channels.
template <class T>
void convolve_block(const Convolution<T>& c, const Epilogue<T>& of_task, int n0, int n1, int r0,
                    int r1, int v0, int v1) {
  constexpr int L = vector_lanes<T>;
  const int in = c.src.c / c.groups, out = c.dst.c / c.groups;
  const long pitch = round_up(out, geometry::lanes),
             rows = long(c.rows.kernel) * c.cols.kernel * in, weights = rows * pitch;
  const bool large = c.large_weights() && pitch > 2 * L && c.rows.phases() * c.cols.phases() == 1;
  const Patch<T> patch = gather(c.x, c.src, n0, n1, c.rows.low(r0), c.rows.high(r1), c.cols.low(0),
                                c.cols.high(c.dst.w), c.src.c, false, slot_input);
  const long most = long(n1 - n0) * (r1 - r0) * c.dst.w;
  const T** x = scratch<const T*>(slot_pixels, 2 * most);
  T** y = const_cast<T**>(x + most);
  Run* runs = scratch<Run>(slot_runs, std::size_t(c.rows.kernel) * c.cols.kernel);

  for (int a = 0; a < c.rows.phases(); ++a)
    for (int b = 0; b < c.cols.phases(); ++b) {
      int first = c.rows.first(a);
      if (first < r0)
        first += (r0 - first + c.rows.phases() - 1) / c.rows.phases() * c.rows.phases();
      const int jump = c.cols.phases();
      const long step = (c.cols.transposed ? 1 : c.cols.stride) * patch.pixel;
      long pixels = 0;
      for (int n = n0; n < n1; ++n)
        for (int r = first; r < r1; r += c.rows.phases())
          if (const int q0 = c.cols.first(b); q0 < c.dst.w) {
            const T* from = patch.at(n - n0, c.rows.base(r), c.cols.base(q0));
            T* to = c.y + n * c.dst.sample() + (long(r) * c.dst.w + q0) * c.dst.stride;
            for (int q = q0; q < c.dst.w; q += jump, from += step, to += jump * c.dst.stride) {
              x[pixels] = from;
              y[pixels++] = to;
            }
          }
      if (pixels == 0) continue;
      Taps<T> taps{runs, 0, 0, c.w, pitch};
      taps.length = merge_taps(c, patch, in, a, b, runs, taps.count);
      for (int g = 0; g < c.groups; ++g) {
        if (g > 0) {
          taps.w += weights;
          for (long p = 0; p < pixels; ++p) {
            x[p] += in;
            y[p] += out;
          }
        }
        const Epilogue<T> epilogue = of_task.of_group(g * out);
        int v = v0;
        for (; v + 2 <= v1; v += 2) {
          if (large)
            tiles<2>(adjacent(taps, rows, v * L, 2 * L), x, y, pixels, v * L, out, epilogue);
          else
            tiles<2>(taps, x, y, pixels, v * L, out, epilogue);
        }
        for (; v < v1; ++v) tiles<1>(taps, x, y, pixels, v * L, out, epilogue);
      }
    }
}

/// How a convolution is cut into tasks: blocks of pixels, and output channels where blocks are few
/// (a linear layer).
template <class T> struct ConvolutionTasks {
  Blocks blocks;
  long splits;
  int vectors;
  explicit ConvolutionTasks(const Convolution<T>& c)
      : blocks(host::blocks(c.dst.n, c.rows, c.dst.w, double(c.src.w) * c.src.c * sizeof(T),
                            c.large_weights() ? 256 : 64,
                            c.epilogue.fused && c.epilogue.fused->sums_up())),
        vectors((c.dst.c / c.groups + vector_lanes<T> - 1) / vector_lanes<T>) {
    splits = c.groups > 1 ? 1
                          : clamped((2l * threads() + blocks.tasks - 1) / larger(blocks.tasks, 1l),
                                    1l, (vectors + 1) / 2l);
  }
  long count() const { return blocks.tasks * splits; }
};

template <class T> void convolve(const Convolution<T>& c, const ConvolutionTasks<T>& tasks) {
  if (c.dst.n <= 0) return;
  const Blocks& b = tasks.blocks;
  const long splits = tasks.splits;
  const double work = 2.0 * c.dst.n * c.dst.h * c.dst.w * (c.dst.c / c.groups) * c.src.c *
                      c.rows.taps(0) * c.cols.taps(0);
  parallel_for(
      tasks.count(),
      [&](long task) {
        const long block = task / splits, split = task % splits, pairs = (tasks.vectors + 1) / 2;
        const int n0 = int(block / b.row_blocks) * b.samples,
                  r0 = int(block % b.row_blocks) * b.rows;
        const int v0 = int(2 * chunk_begin(pairs, splits, split)),
                  v1 = int(2 * chunk_begin(pairs, splits, split + 1));
        convolve_block(c, c.epilogue.of(task), n0, smaller(n0 + b.samples, c.dst.n), r0,
                       smaller(r0 + b.rows, c.dst.h), v0, smaller(v1, tasks.vectors));
      },
      work);
}

}  // namespace rnx::inline RNX_ISA::host
