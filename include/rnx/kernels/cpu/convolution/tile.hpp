// The register tile of convolutions: P pixels times V vectors of output channels, one accumulator
// each.
//
//   acc[p][v] = sum over runs, k of x[p][run.x + k] w[run.w + k][v]        in this order, whatever
//   P and V are
#pragma once

#include "rnx/kernels/cpu/convolution/epilogue.hpp"
#include "rnx/kernels/cpu/convolution/window.hpp"

namespace rnx::inline RNX_ISA::host {

/// P V + V + 1 registers of 32 (AVX-512) or 16; with one vector, P addresses and four loop
/// variables in the 15 general registers.
template <int V> constexpr int tile_pixels = V == 1 ? 10 : RNX_VECTOR_BYTES == 64 ? 12 : 6;
constexpr int small_tile_pixels = 4;

/// The sum under one window.
template <class T> struct Taps {
  const Run* runs;
  int count, length;
  const T* w;  // first weight of the group
  long pitch;  // elements of one row of weights
};

/// Output channels [at, at + V vectors) of `count` <= P pixels; pixels beyond count repeat the
/// first and are not stored.
template <int P, int V, class T>
void tile(const Taps<T>& taps, const T* const* pixels, T* const* y, int count, int at, int out,
          const Epilogue<T>& epilogue) {
  constexpr int L = vector_lanes<T>;
  vec<T> acc[P][V] = {};
  const T* x[P];
#pragma GCC unroll 16
  for (int p = 0; p < P; ++p) {
    x[p] = pixels[p < count ? p : 0];
    __builtin_prefetch(y[p < count ? p : 0] + at, 1);
  }
  for (int r = 0; r < taps.count; ++r) {
    const T* w = taps.w + taps.runs[r].w * taps.pitch + at;
    const long begin = taps.runs[r].x, end = begin + taps.length;
    for (long k = begin; k < end; ++k, w += taps.pitch) {
      vec<T> row[V];
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) row[v] = load<L>(w + v * L);
#pragma GCC unroll 16
      for (int p = 0; p < P; ++p) {
        const T value = x[p][k];
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) acc[p][v] += value * row[v];
      }
    }
  }
  alignas(64) T sums[P * V * L];
#pragma GCC unroll 16
  for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) store(sums + (p * V + v) * L, acc[p][v]);
  finish<V>(sums, y, count, at, out, epilogue);
}

/// All pixels for V vectors of output channels.
template <int V, class T>
void tiles(const Taps<T>& taps, const T* const* x, T* const* y, long pixels, int at, int out,
           const Epilogue<T>& epilogue) {
  constexpr int P = tile_pixels<V>;
  long p = 0;
  for (; p + P <= pixels; p += P) tile<P, V>(taps, x + p, y + p, P, at, out, epilogue);
  for (; p < pixels; p += small_tile_pixels)
    tile<small_tile_pixels, V>(
        taps, x + p, y + p, int(smaller(pixels - p, long(small_tile_pixels))), at, out, epilogue);
}

}  // namespace rnx::inline RNX_ISA::host
