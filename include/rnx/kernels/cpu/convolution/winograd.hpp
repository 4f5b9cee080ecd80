// Convolutions with 3x3 kernels and stride 1 by Winograd's F(2x2, 3x3), and their input gradients:
// 16 products instead of 36 for the 2 x 2 outputs of a tile.
//
//   U = G g G^T    V = B^T d B    M(xi, tile, o) = sum over i of V(xi, tile, i) U(xi, i, o)    y =
//                  A^T M A
//
//         1  0  0            1  0 -1  0             1  1  1  0
//   G =  1/2 1/2 1/2   B^T = 0  1  1  0     A^T =   0  1 -1  1      (row 3 of B^T and A^T has the
//        other sign than usual: no negations)
//        1/2-1/2 1/2         0 -1  1  0
//         0  0  1            0 -1  0  1
//
// U lies as (block of 32 output channels, xi, i, 32), the last block 16 wide where that is enough:
// what one product reads is adjacent. Every output is one sum over i in a fixed order, so its bits
// depend neither on n nor on threads. Transforms only add: nothing to fuse. Measured error against
// sums in double, relative to the norm, 16 to 512 channels: 1e-7 to 7e-7 in float (direct sums: the
// same), 1e-15 in double.
#pragma once

#include "rnx/kernels/cpu/convolution/direct.hpp"
#include "rnx/kernels/cpu/convolution/weights.hpp"

namespace rnx::inline RNX_ISA::host {

/// The 2 x 2 tiles of a map, counted over samples, rows and columns.
struct TileGrid {
  int h, w;           // of the map
  int row0, column0;  // source index of tile 0's first element
  int rows() const { return (h + 1) / 2; }
  int columns() const { return (w + 1) / 2; }
  /// f(sample, tile row, first tile column, end, first tile - t0): the runs of tiles [t0, t1) that
  /// share a row.
  template <class F> void runs(long t0, long t1, F&& f) const {
    for (long t = t0; t < t1;) {
      const long row = t / columns(), column = t % columns(),
                 end = smaller(row * columns() + columns(), t1);
      f(int(row / rows()), int(row % rows()), int(column), int(column + end - t), int(t - t0));
      t = end;
    }
  }
};

/// V for a row of `tiles` tiles and one vector of channels: `count` of its channels exist. Columns
/// are transformed once for two tiles. rows: the four source rows at the map's first column; step:
/// between pixels, 0 for a row of zeros. column: of the first tile, may be -2.
template <bool whole, class T>
void input_tiles(const T* const* rows, const long* step, int column, int width, int tiles,
                 int count, T* v, long plane) {
  using V = vec<T>;
  constexpr int L = vector_lanes<T>;
  const auto transform = [&](int q, V* w) {
    if (q < 0 || q >= width) {
      w[0] = w[1] = w[2] = w[3] = V{};
      return;
    }
    V d[4];
#pragma GCC unroll 4
    for (int r = 0; r < 4; ++r)
      d[r] = whole ? load<L>(rows[r] + q * step[r]) : load_first<L>(rows[r] + q * step[r], count);
    w[0] = d[0] - d[2];
    w[1] = d[1] + d[2];
    w[2] = d[2] - d[1];
    w[3] = d[3] - d[1];
  };
  V a[4], b[4], c[4], d[4];
  transform(column, a);
  transform(column + 1, b);
  for (int t = 0; t < tiles; ++t, v += geometry::lanes) {
    transform(column + 2 * t + 2, c);
    transform(column + 2 * t + 3, d);
#pragma GCC unroll 4
    for (int r = 0; r < 4; ++r) {
      T* to = v + 4 * r * plane;
      store(to, a[r] - c[r]);
      store(to + plane, b[r] + c[r]);
      store(to + 2 * plane, c[r] - b[r]);
      store(to + 3 * plane, d[r] - b[r]);
      a[r] = c[r];
      b[r] = d[r];
    }
  }
}

/// V(xi, block of 16 channels, tile, 16) of tiles [t0, t1) for channels [i0, i1), i0 a multiple of
/// 16. plane: from xi to xi.
template <class T>
void transform_input(const T* x, const geometry::Map& m, const TileGrid& grid, long t0, long t1,
                     int i0, int i1, T* v, long plane, int tiles) {
  constexpr int L = vector_lanes<T>;
  static constexpr T zeros[L] = {};
  const T* const end = x + long(m.n) * m.sample() - (m.stride - m.c);
  grid.runs(t0, t1, [&](int n, int row, int column, int column_end, int at) {
    const int first = grid.row0 + 2 * row, q = grid.column0 + 2 * column;
    for (int i = i0; i < i1; i += L) {
      const T* rows[4];
      long step[4];
      bool whole = true;
#pragma GCC unroll 4
      for (int r = 0; r < 4; ++r) {
        const bool inside = first + r >= 0 && first + r < m.h;
        rows[r] = inside ? x + n * m.sample() + (long(first + r) * m.w) * m.stride + i : zeros;
        step[r] = inside ? m.stride : 0;
        // a vector may reach into the next pixel, but not behind the map
        whole = whole && (!inside || rows[r] + long(m.w - 1) * m.stride + L <= end);
      }
      T* to = v + (long(i - i0) / geometry::lanes * tiles + at) * geometry::lanes +
              (i - i0) % geometry::lanes;
      if (whole)
        input_tiles<true>(rows, step, q, m.w, column_end - column, L, to, plane);
      else
        input_tiles<false>(rows, step, q, m.w, column_end - column, smaller(L, i1 - i), to, plane);
    }
  });
}

/// M(tile, width) = sum over i of V(tile, i) U(i, width): P tiles, V vectors.
template <int P, int V, class T>
void product_tile(const T* x, long block, int in, const T* u, int width, T* m) {
  constexpr int L = vector_lanes<T>;
  vec<T> acc[P][V] = {};
  for (int i = 0; i < in; i += geometry::lanes, x += block) {
    const int count = smaller(in - i, geometry::lanes);
    for (int k = 0; k < count; ++k, u += width) {
      vec<T> row[V];
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) row[v] = load<L>(u + v * L);
#pragma GCC unroll 16
      for (int p = 0; p < P; ++p) {
        const vec<T> value = x[p * geometry::lanes + k] - vec<T>{};
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) acc[p][v] = multiply_add<T>(value, row[v], acc[p][v]);
      }
    }
  }
#pragma GCC unroll 16
  for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) store(m + p * width + v * L, acc[p][v]);
}

/// Tiles of one register tile. Eight sums of two vectors hide the latency, and leave two loads for
/// each product of two.
template <int V> constexpr int winograd_tile = V == 1 || RNX_VECTOR_BYTES == 64 ? 8 : 6;

template <int V, class T>
__attribute__((noinline)) void product(const T* x, long block, int tiles, int in, const T* u,
                                       int width, T* m) {
  constexpr int P = winograd_tile<V>;
  int t = 0;
  for (; t + P <= tiles; t += P)
    product_tile<P, V>(x + t * geometry::lanes, block, in, u, width, m + t * width);
  for (; t + 4 <= tiles; t += 4)
    product_tile<4, V>(x + t * geometry::lanes, block, in, u, width, m + t * width);
  for (; t < tiles; ++t)
    product_tile<1, V>(x + t * geometry::lanes, block, in, u, width, m + t * width);
}

/// The pixels (2 row + dr, 2 column + dc), and their three neighbours, of tiles [t0, t1) as far as
/// they lie in the map.
template <class T>
__attribute__((noinline)) int pixels_of(const TileGrid& grid, long t0, long t1, int dr, int dc,
                                        const geometry::Map& m, T* data, T** pixels) {
  int count = 0;
  grid.runs(t0, t1, [&](int n, int row, int column, int column_end, int) {
    const int r = 2 * row + dr;
    const long below = long(m.w) * m.stride;
    const bool first = r >= 0 && r < m.h, second = r + 1 >= 0 && r + 1 < m.h;
    T* at = data + n * m.sample() + (long(r) * m.w + 2 * column + dc) * m.stride;
    for (int c = 2 * column + dc; c < 2 * column_end + dc; c += 2, at += 2 * m.stride) {
      const bool left = c >= 0 && c < m.w, right = c + 1 >= 0 && c + 1 < m.w;
      pixels[count] = at;
      count += first && left;
      pixels[count] = at + m.stride;
      count += first && right;
      pixels[count] = at + below;
      count += second && left;
      pixels[count] = at + below + m.stride;
      count += second && right;
    }
  });
  return count;
}

/// Asks for `channels` elements of the part-th sixteenth of the pixels.
template <bool write, class T>
__attribute__((noinline)) void prefetch(T* const* pixels, int count, int part, int at,
                                        int channels) {
  asm volatile("");  // gcc holds a function of prefetches alone for pure, and drops it
  for (int p = count * part / 16; p < count * (part + 1) / 16; ++p)
    for (int k = at; k < at + channels; k += int(64 / sizeof(T)))
      __builtin_prefetch(pixels[p] + k, write);
}

/// Tiles [t0, t1), V vectors of output channels from `at`: y = A^T M A, through the epilogue.
template <int V, class T>
__attribute__((noinline)) void transform_output(const T* m, long plane, int width,
                                                const TileGrid& grid, long t0, long t1, T* const* y,
                                                int at, int out, const Epilogue<T>& epilogue) {
  constexpr int L = vector_lanes<T>, most = 16;
  alignas(64) T sums[(most + 4) * V * L];
  int count = 0;
  grid.runs(t0, t1, [&](int, int row, int column, int column_end, int first) {
    const bool tall = 2 * row + 1 < grid.h;
    for (int q = column; q < column_end; ++q, ++first) {
      const bool wide = 2 * q + 1 < grid.w;
      // absent pixels are overwritten, or stay behind the last
      const int lower = count + (wide ? 2 : 1);
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        const T* from = m + first * width + v * L;
        vec<T> a[4], b[4];
#pragma GCC unroll 4
        for (int r = 0; r < 4; ++r, from += 4 * plane) {
          const vec<T> m0 = load<L>(from), m1 = load<L>(from + plane),
                       m2 = load<L>(from + 2 * plane), m3 = load<L>(from + 3 * plane);
          a[r] = m0 + m1 + m2;
          b[r] = m1 - m2 + m3;
        }
        store(sums + (count * V + v) * L, a[0] + a[1] + a[2]);
        store(sums + ((count + 1) * V + v) * L, b[0] + b[1] + b[2]);
        store(sums + (lower * V + v) * L, a[1] - a[2] + a[3]);
        store(sums + ((lower + 1) * V + v) * L, b[1] - b[2] + b[3]);
      }
      count += (wide ? 2 : 1) * (tall ? 2 : 1);
      if (count > most - 4) finish<V>(sums, y, count, at, out, epilogue), y += count, count = 0;
    }
  });
  if (count > 0) finish<V>(sums, y, count, at, out, epilogue);
}

/// How a Winograd convolution is cut: runs of tiles, and blocks of output channels where tiles are
/// few. Depends on sizes only.
struct WinogradCut {
  long tiles, runs;
  int pass;  // tiles at a time
  int blocks, splits;
  long tasks() const { return runs * splits; }
  /// First tile of a run: whole register tiles.
  long begin(long run) const { return smaller(8 * chunk_begin((tiles + 7) / 8, runs, run), tiles); }
};

template <class T> WinogradCut winograd_cut(const Convolution<T>& c) {
  const long tiles = long(c.dst.n) * ((c.dst.h + 1) / 2) * ((c.dst.w + 1) / 2);
  // a pass and small weights stay in the second-level cache; large weights are read once for more
  // tiles
  const int blocks = (c.dst.c + winograd_block - 1) / winograd_block,
            pass = long(c.src.c) * c.dst.c < 256 * 256 ? RNX_VECTOR_BYTES == 64 ? 16 : 24 : 32;
  const long runs = clamped(tiles / larger(pass, 24), 1l, 64l);
  return {tiles, runs, pass, blocks, int(clamped((16 + runs - 1) / runs, 1l, long(blocks)))};
}

template <class T> long winograd_tasks(const Convolution<T>& c) {
  return c.dst.n <= 0 ? 0 : winograd_cut(c).tasks();
}

/// y = the epilogue of the sums; c.w: U.
template <class T> void winograd(const Convolution<T>& c) {
  constexpr int L = vector_lanes<T>;
  if (c.dst.n <= 0) return;
  const WinogradCut cut = winograd_cut(c);
  // not Axis::base: it takes a single source row apart into phases
  const auto base = [](const Axis& axis) { return axis.transposed ? axis.pad - 2 : -axis.pad; };
  const TileGrid grid{c.dst.h, c.dst.w, base(c.rows), base(c.cols)};
  const int in = c.src.c, out = c.dst.c, in_blocks = (in + geometry::lanes - 1) / geometry::lanes,
            pass = cut.pass;
  // one line more: xi apart by a power of two would share cache sets
  const long v_plane = long(in_blocks) * pass * geometry::lanes + geometry::lanes,
             m_plane = long(pass) * winograd_block + geometry::lanes;
  const double work = 32.0 * cut.tiles * in * out;
  parallel_for(
      cut.tasks(),
      [&](long task) {
        const long run = task / cut.splits, split = task % cut.splits;
        const long begin = cut.begin(run), end = cut.begin(run + 1);
        const int b0 = int(chunk_begin(cut.blocks, cut.splits, split)),
                  b1 = int(chunk_begin(cut.blocks, cut.splits, split + 1));
        const Epilogue<T> epilogue = c.epilogue.of(task);
        T* const v = scratch<T>(slot_winograd, 16 * (v_plane + m_plane));
        T* const m = v + 16 * v_plane;
        T** const y = scratch<T*>(slot_pixels, 8 * pass + 8);
        const T** const ahead = const_cast<const T**>(y + 4 * pass + 4);
        for (long t = begin; t < end; t += pass) {
          const int tiles = int(smaller(end - t, long(pass)));
          transform_input(c.x, c.src, grid, t, t + tiles, 0, in, v, v_plane, pass);
          // y is fetched while the products are formed, and the new source pixels of the next tiles
          const int pixels = pixels_of(grid, t, t + tiles, 0, 0, c.dst, c.y, y);
          const int next = pixels_of(grid, t + tiles, smaller(t + tiles + pass, end), grid.row0 + 2,
                                     grid.column0 + 2, c.src, c.x, ahead);
          for (int b = b0; b < b1; ++b) {
            const int at = b * winograd_block,
                      width = smaller(winograd_block, int(round_up(out - at, geometry::lanes)));
            const int vectors = (smaller(out - at, width) + L - 1) / L;
            const T* u = c.w + long(at) * 16 * in;
            for (int xi = 0; xi < 16; ++xi, u += long(in) * width) {
              prefetch<true>(y, pixels, xi, at, smaller(width, out - at));
              if (b == b0) prefetch<false>(ahead, next, xi, 0, in);
              int k = 0;
              for (; k + 2 <= vectors; k += 2)
                product<2>(v + xi * v_plane, long(pass) * geometry::lanes, tiles, in, u + k * L,
                           width, m + xi * m_plane + k * L);
              if (k < vectors)
                product<1>(v + xi * v_plane, long(pass) * geometry::lanes, tiles, in, u + k * L,
                           width, m + xi * m_plane + k * L);
            }
            int k = 0;
            for (; k + 2 <= vectors; k += 2)
              transform_output<2>(m + k * L, m_plane, width, grid, t, t + tiles, y, at + k * L, out,
                                  epilogue);
            if (k < vectors)
              transform_output<1>(m + k * L, m_plane, width, grid, t, t + tiles, y, at + k * L, out,
                                  epilogue);
          }
        }
      },
      work);
}

}  // namespace rnx::inline RNX_ISA::host
