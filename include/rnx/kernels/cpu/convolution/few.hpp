// Convolutions with one or three output channels, such as the input gradient of a network's first
// layer: vectors run over the pixels of a row, since vectors of output channels would be mostly
// padding. Source rows are transposed to (row, channel, column) first. The sums have the order of
// the direct kernel, and its bits.
#pragma once

#include "rnx/kernels/cpu/convolution/direct.hpp"

namespace rnx::inline RNX_ISA::host {

template <class T> bool few_outputs(const Convolution<T>& c) {
  return !c.winograd && c.groups == 1 && (c.dst.c == 1 || c.dst.c == 3) && c.src.c >= 8 &&
         c.dst.w >= 8 && c.rows.phases() * c.cols.phases() == 1 &&
         (c.rows.transposed || c.rows.stride == 1) && (c.cols.transposed || c.cols.stride == 1);
}

/// One stage of a transposition: lanes of a and b whose numbers differ in bit S change places.
template <class T, int S, int... K>
RNX_ALWAYS_INLINE inline void exchange(vec<T>& a, vec<T>& b, std::integer_sequence<int, K...>) {
  constexpr int L = sizeof...(K);
  const vec<T> low = shuffled<T, ((K & S) ? L + K - S : K)...>(a, b);
  b = shuffled<T, ((K & S) ? L + K : K + S)...>(a, b);
  a = low;
}
/// Transposes L vectors of L lanes in place.
template <class T, int S = vector_lanes<T> / 2> RNX_ALWAYS_INLINE inline void transpose(vec<T>* v) {
  constexpr int L = vector_lanes<T>;
#pragma GCC unroll 16
  for (int i = 0; i < L; ++i)
    if (!(i & S)) exchange<T, S>(v[i], v[i + S], std::make_integer_sequence<int, L>{});
  if constexpr (S > 1) transpose<T, S / 2>(v);
}

/// Columns of a row as (channel, column): to[i * pitch + q] = from[q * step + i].
template <class T>
void transpose_row(const T* from, long step, int channels, int columns, T* to, long pitch) {
  constexpr int L = vector_lanes<T>;
  int i = 0;
  for (; i + L <= channels; i += L) {
    int q = 0;
    for (; q + L <= columns; q += L) {
      vec<T> v[L];
#pragma GCC unroll 16
      for (int k = 0; k < L; ++k) v[k] = load<L>(from + (q + k) * step + i);
      transpose<T>(v);
#pragma GCC unroll 16
      for (int k = 0; k < L; ++k) store(to + (i + k) * pitch + q, v[k]);
    }
    for (; q < columns; ++q)
      for (int k = 0; k < L; ++k) to[(i + k) * pitch + q] = from[q * step + i + k];
  }
  for (; i < channels; ++i)
    for (int q = 0; q < columns; ++q) to[i * pitch + q] = from[q * step + i];
}

/// Two vectors of neighbouring pixels, C output channels.
template <int C, class T>
RNX_ALWAYS_INLINE inline void few_tile(const Convolution<T>& c, const T* planes, long row,
                                       long pitch, vec<T> (&acc)[C][2]) {
  constexpr int L = vector_lanes<T>;
  const T* w = c.w;
  for (int kh = 0; kh < c.rows.kernel; ++kh)
    for (int kw = 0; kw < c.cols.kernel; ++kw) {
      const T* x = planes + kh * row + kw;
      for (int i = 0; i < c.src.c; ++i, x += pitch, w += geometry::lanes) {
        const vec<T> left = load<L>(x), right = load<L>(x + L);
#pragma GCC unroll 4
        for (int o = 0; o < C; ++o) {
          acc[o][0] += w[o] * left;
          acc[o][1] += w[o] * right;
        }
      }
    }
}

template <int C, class T> void convolve_few(const Convolution<T>& c) {
  constexpr int L = vector_lanes<T>;
  const int first = c.rows.base(0), left = clamped(-c.cols.base(0), 0, c.cols.kernel),
            begin = c.cols.base(0) + left;  // source index of column `left`
  const int columns = clamped(c.src.w - begin, 0, c.dst.w + c.cols.kernel - 1 - left);
  const long pitch = round_up(c.dst.w, 2 * L) + round_up(c.cols.kernel, L), row = c.src.c * pitch;
  // a fused tail's tasks are samples: their number may not depend on anything else
  const int height = c.epilogue.fused
                         ? c.dst.h
                         : clamped(int((256 << 10) / (row * long(sizeof(T)))) - c.rows.kernel, 1,
                                   c.dst.h),
            blocks = (c.dst.h + height - 1) / height;
  parallel_for(
      long(c.dst.n) * blocks,
      [&](long task) {
        const Epilogue<T> epilogue = c.epilogue.of(task);
        const int n = int(task / blocks), r0 = int(task % blocks) * height,
                  r1 = smaller(r0 + height, c.dst.h);
        T* const planes = scratch<T>(slot_input, (r1 - r0 + c.rows.kernel - 1) * row);
        for (int r = r0; r < r1 + c.rows.kernel - 1; ++r) {
          T* to = planes + (r - r0) * row;
          const int source = first + r;
          std::memset(to, 0, row * sizeof(T));
          if (source >= 0 && source < c.src.h && columns > 0)
            transpose_row(
                c.x + n * c.src.sample() + (long(source) * c.src.w + begin) * c.src.stride,
                c.src.stride, c.src.c, columns, to + left, pitch);
        }
        for (int r = r0; r < r1; ++r)
          for (int q = 0; q < c.dst.w; q += 2 * L) {
            vec<T> acc[C][2] = {};
            few_tile<C>(c, planes + (r - r0) * row + q, row, pitch, acc);
            T* const y = c.y + n * c.dst.sample() + (long(r) * c.dst.w + q) * c.dst.stride;
            const int pixels = smaller(2 * L, c.dst.w - q);
            T sums[C][2 * L];
            for (int o = 0; o < C; ++o) {
              store(sums[o], acc[o][0]);
              store(sums[o] + L, acc[o][1]);
            }
            if (!epilogue.plain()) {
              constexpr int V = (C + L - 1) / L;
              T values[2 * L * V * L] = {};
              T* to[2 * L];
              for (int p = 0; p < pixels; ++p) {
                to[p] = y + long(p) * c.dst.stride;
                for (int o = 0; o < C; ++o) values[p * V * L + o] = sums[o][p];
              }
              finish<V>(values, to, pixels, 0, C, epilogue);
            } else {
              for (int p = 0; p < pixels; ++p)
                for (int o = 0; o < C; ++o) y[long(p) * c.dst.stride + o] = sums[o][p];
            }
          }
      },
      2.0 * c.dst.rows() * C * c.src.c * c.rows.kernel * c.cols.kernel);
}

}  // namespace rnx::inline RNX_ISA::host
