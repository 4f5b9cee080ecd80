// Weight gradient of 3x3 kernels with stride 1 by F(2x2, 3x3), the transpose of winograd.hpp's
// bilinear form:
//
//   dU(xi, i, o) = sum over tiles of V(xi, tile, i) dM(xi, tile, o)    V = B^T d B    dM = A dY A^T
//      dw = G^T dU G
//
// A task sums a run of tiles for a block of input and of output channels, whose dU stays in the
// second-level cache. Tiles are cut into runs that depend on sizes only; inside a run each element
// of dU is one sum in the order of tiles; runs are added in order. Measured error, relative to the
// norm: 3e-7 to 1.3e-6 in float, that of direct sums.
#pragma once

#include "rnx/kernels/cpu/convolution/outer_tile.hpp"
#include "rnx/kernels/cpu/convolution/winograd.hpp"

namespace rnx::inline RNX_ISA::host {

/// dU(i, width) += sum over tiles of V(tile, i) dM(tile, width) for V vectors of o and `in` input
/// channels: rows of dU are padded to a multiple of 8.
template <int V, class T>
__attribute__((noinline)) void outer_products(const T* x, long block, const T* m, int tiles, int in,
                                              int width, T* u) {
  constexpr int P = RNX_VECTOR_BYTES == 64 ? 8 : 4;
  for (int i = 0; i < in; i += P) {
    const PixelRow<T> row{x + i / geometry::lanes * block, m};
    outer_tile<P, V>(&row, 1, tiles, geometry::lanes, width, i % geometry::lanes,
                     u + long(i) * width, width, P);
  }
}

/// dM(xi, tile, width) of tiles [t0, t1) for output channels [o0, o1). plane: from xi to xi.
template <class T>
__attribute__((noinline)) void transform_gradient(const T* dy, const geometry::Map& m,
                                                  const TileGrid& grid, long t0, long t1, int o0,
                                                  int o1, int width, T* to, long plane) {
  constexpr int L = vector_lanes<T>;
  const T* const end = dy + long(m.n) * m.sample() - (m.stride - m.c);
  const long below = long(m.w) * m.stride;
  grid.runs(t0, t1, [&](int n, int row, int column, int column_end, int at) {
    const bool tall = 2 * row + 1 < m.h;
    for (int o = o0; o < o1; o += L) {
      const T* y = dy + n * m.sample() + (long(2 * row) * m.w + 2 * column) * m.stride + o;
      // a vector may reach into the next pixel, but not behind the map
      const bool whole = y + (tall ? below : 0) +
                             long(smaller(2 * column_end, m.w) - 2 * column - 1) * m.stride + L <=
                         end;
      const auto get = [&](const T* p) RNX_ALWAYS_INLINE {
        return whole ? load<L>(p) : load_first<L>(p, o1 - o);
      };
      T* v = to + long(at) * width + (o - o0);
      for (int q = column; q < column_end; ++q, y += 2 * m.stride, v += width) {
        const bool wide = 2 * q + 1 < m.w;
        const vec<T> y00 = get(y), y01 = wide ? get(y + m.stride) : vec<T>{},
                     y10 = tall ? get(y + below) : vec<T>{},
                     y11 = tall && wide ? get(y + below + m.stride) : vec<T>{};
        const vec<T> left[4] = {y00, y00 + y10, y00 - y10, y10},
                     right[4] = {y01, y01 + y11, y01 - y11, y11};
#pragma GCC unroll 4
        for (int r = 0; r < 4; ++r) {
          T* p = v + 4 * r * plane;
          store(p, left[r]);
          store(p + plane, left[r] + right[r]);
          store(p + 2 * plane, left[r] - right[r]);
          store(p + 3 * plane, right[r]);
        }
      }
    }
  });
}

/// dw(kh, kw, i, o) = G^T dU G for `in` rows and `count` channels of a block of dU.
template <class T>
void transform_weights(const T* u, long plane, int in, int width, int count, T* dw, long tap,
                       long pitch) {
  constexpr int L = vector_lanes<T>;
  for (int i = 0; i < in; ++i)
    for (int o = 0; o < count; o += L) {
      const T* from = u + long(i) * width + o;
      vec<T> a[3][4];
#pragma GCC unroll 4
      for (int c = 0; c < 4; ++c) {
        vec<T> d[4];
#pragma GCC unroll 4
        for (int r = 0; r < 4; ++r) d[r] = load<L>(from + (4 * r + c) * plane);
        const vec<T> both = (d[1] + d[2]) * T(0.5);  // halves are exact
        a[0][c] = d[0] + both;
        a[1][c] = (d[1] - d[2]) * T(0.5);
        a[2][c] = d[3] + both;
      }
#pragma GCC unroll 3
      for (int r = 0; r < 3; ++r) {
        const vec<T> both = (a[r][1] + a[r][2]) * T(0.5);
        T* to = dw + 3 * r * tap + long(i) * pitch + o;
        store_first(to, a[r][0] + both, count - o);
        store_first(to + tap, (a[r][1] - a[r][2]) * T(0.5), count - o);
        store_first(to + 2 * tap, a[r][3] + both, count - o);
      }
    }
}

template <class T> struct WinogradWeightGradient {
  static constexpr int pass = 24, in_most = 64,
                       out_most = 128;  // tiles at a time; channels of a task
  geometry::Conv2d g;
  const T* x;
  const T* dy;

  TileGrid grid() const { return {g.y.h, g.y.w, -g.pad_h, -g.pad_w}; }
  long tiles() const { return long(g.y.n) * grid().rows() * grid().columns(); }
  int in_blocks() const { return (g.x.c + in_most - 1) / in_most; }
  int out_blocks() const { return (g.y.c + out_most - 1) / out_most; }
  long count() const { return 9l * g.x.c * g.y.c; }
  /// Runs of tiles: some tasks for many threads, but few sums to add.
  long runs() const {
    return clamped(smaller(16l / (in_blocks() * out_blocks()), tiles() / 32), 1l, 16l);
  }

  /// Tiles [begin, end), input channels [i0, i1), output channels [o0, o1) into the dense gradient
  /// at dw.
  void add(long begin, long end, int i0, int i1, int o0, int o1, T* dw) const {
    constexpr int L = vector_lanes<T>, lanes = geometry::lanes;
    const int in = i1 - i0, rows = int(round_up(in, 8)), blocks = (in + lanes - 1) / lanes,
              out = int(round_up(o1 - o0, lanes));
    // one line more: xi apart by a power of two would share cache sets
    const long v_plane = long(blocks) * pass * lanes + lanes, m_plane = long(pass) * out + lanes,
               u_plane = long(rows) * out + lanes;
    T* const v = scratch<T>(slot_winograd, 16 * (v_plane + m_plane + u_plane));
    T* const m = v + 16 * v_plane;
    T* const u = m + 16 * m_plane;
    std::memset(u, 0, 16 * u_plane * sizeof(T));
    const T** const next_x = scratch<const T*>(slot_pixels, 8 * pass + 8);
    const T** const next_dy = next_x + 4 * pass + 4;
    const TileGrid tile_grid = grid();
    for (long t = begin; t < end; t += pass) {
      const long t1 = smaller(t + pass, end), t2 = smaller(t1 + pass, end);
      transform_input(x, g.x, tile_grid, t, t1, i0, i1, v, v_plane, pass);
      for (int o = 0; o < out; o += winograd_block)
        transform_gradient(dy, g.y, tile_grid, t, t1, o0 + o, smaller(o0 + o + winograd_block, o1),
                           smaller(winograd_block, out - o), m + long(o) * pass, m_plane);
      const int xs =
          pixels_of(tile_grid, t1, t2, tile_grid.row0 + 2, tile_grid.column0 + 2, g.x, x, next_x);
      const int dys = pixels_of(tile_grid, t1, t2, 0, 0, g.y, dy, next_dy);
      for (int xi = 0; xi < 16; ++xi) {
        prefetch<false>(next_x, xs, xi, i0, in);
        prefetch<false>(next_dy, dys, xi, o0, o1 - o0);
        for (int o = 0; o < out; o += winograd_block) {
          const int width = smaller(winograd_block, out - o),
                    vectors = (smaller(width, o1 - o0 - o) + L - 1) / L;
          const T* dm = m + xi * m_plane + long(o) * pass;
          T* du = u + xi * u_plane + long(o) * rows;
          int k = 0;
          for (; k + 2 <= vectors; k += 2)
            outer_products<2>(v + xi * v_plane, long(pass) * lanes, dm + k * L, int(t1 - t), in,
                              width, du + k * L);
          if (k < vectors)
            outer_products<1>(v + xi * v_plane, long(pass) * lanes, dm + k * L, int(t1 - t), in,
                              width, du + k * L);
        }
      }
    }
    for (int o = 0; o < out; o += winograd_block)
      transform_weights(u + long(o) * rows, u_plane, in, smaller(winograd_block, out - o),
                        smaller(winograd_block, o1 - o0 - o), dw + long(i0) * g.y.c + o0 + o,
                        long(g.x.c) * g.y.c, g.y.c);
  }
};

/// dw = the sum of partial results, in their order.
template <class T> void add_partial(const T* partial, long parts, long count, T* dw) {
  for_range(count, [&](std::size_t begin, std::size_t end) {
    std::memcpy(dw + begin, partial + begin, (end - begin) * sizeof(T));
    for (long part = 1; part < parts; ++part) {
      const T* from = partial + part * count;
      RNX_SIMD
      for (std::size_t k = begin; k < end; ++k) dw[k] += from[k];
    }
  });
}

/// dw (kh, kw, i, o), assigned.
template <class T>
void winograd_weight_gradient(const geometry::Conv2d& g, const T* x, const T* dy, T* dw) {
  const WinogradWeightGradient<T> w{g, x, dy};
  const long tiles = w.tiles(), runs = w.runs(), count = w.count();
  const int in_blocks = w.in_blocks(), out_blocks = w.out_blocks();
  T* const partial = runs == 1 ? dw : scratch<T>(slot_partial, std::size_t(runs) * count);
  parallel_for(
      runs * in_blocks * out_blocks,
      [&](long task) {
        const long run = task / (in_blocks * out_blocks);
        const int i = int(task / out_blocks % in_blocks) * w.in_most,
                  o = int(task % out_blocks) * w.out_most;
        const int i1 = smaller(i + w.in_most, g.x.c), o1 = smaller(o + w.out_most, g.y.c);
        w.add(chunk_begin(tiles, runs, run), chunk_begin(tiles, runs, run + 1), i, i1, o, o1,
              partial + run * count);
      },
      32.0 * tiles * g.x.c * g.y.c);
  if (runs > 1) add_partial(partial, runs, count, dw);
}

}  // namespace rnx::inline RNX_ISA::host
