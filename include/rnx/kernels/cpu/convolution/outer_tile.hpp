// The register tile of weight gradients: a sum over pixels of outer products.
#pragma once

#include "rnx/kernels/cpu/vector.hpp"

namespace rnx::inline RNX_ISA::host {

/// Where a row of pixels starts in x and dy.
template <class T> struct PixelRow {
  const T* x;
  const T* dy;
};

/// dw(i, o) += sum over rows of pixels of x(i) dy(o): P of i (`count` of them stored), V vectors of
/// o.
template <int P, int V, class T>
void outer_tile(const PixelRow<T>* rows, int row_count, int pixels, long x_step, long dy_step,
                long i, T* dw, long pitch, int count) {
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

}  // namespace rnx::inline RNX_ISA::host
