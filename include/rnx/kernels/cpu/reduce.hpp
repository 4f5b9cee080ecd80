// Sums over samples and pixels, one per channel, in double: fixed chunks of pixels, added in chunk
// order.
#pragma once

#include "rnx/kernels/cpu/vector.hpp"

namespace rnx::inline RNX_ISA::host {

/// sums(k, c) = sum over rows of term k; assigned. term(width, row, j, acc) adds its K terms of
/// channels [j, j + width) to acc[0..K).
template <int K, class Term> void channel_sums(std::size_t rows, int c, double* sums, Term&& term) {
  constexpr std::size_t block =
      64;  // rows whose channels are summed vector by vector while they are in the cache
  const long chunks = clamped(long(rows * c / 8192), 1l, 64l), width = long(K) * c;
  double* partial = scratch<double>(slot_partial, chunks * width);
  parallel_for(
      chunks,
      [&](long chunk) {
        double* own = partial + chunk * width;
        for (long i = 0; i < width; ++i) own[i] = 0;
        const std::size_t end = chunk_begin(long(rows), chunks, chunk + 1);
        for (std::size_t r = chunk_begin(long(rows), chunks, chunk); r < end; r += block) {
          const std::size_t last = smaller(end, r + block);
          for_lanes<double>(c, [&](auto lanes, int j) RNX_ALWAYS_INLINE {
            constexpr int N = decltype(lanes)::value;
            vec<double, N> acc[2][K] = {};  // even and odd rows: two chains of additions
            std::size_t row = r;
            for (; row + 2 <= last; row += 2) {
              term(lanes, row, j, acc[0]);
              term(lanes, row + 1, j, acc[1]);
            }
            if (row < last) term(lanes, row, j, acc[0]);
#pragma GCC unroll 4
            for (int k = 0; k < K; ++k)
              store(own + k * c + j, load<N>(own + k * c + j) + acc[0][k] + acc[1][k]);
          });
        }
      },
      double(rows) * c);
  for (long i = 0; i < width; ++i) {
    double sum = 0;
    for (long chunk = 0; chunk < chunks; ++chunk) sum += partial[chunk * width + i];
    sums[i] = sum;
  }
}

/// f(row) for every pixel, in pieces.
template <class F> void for_rows(std::size_t rows, double work_per_row, F&& f) {
  const std::size_t step = std::size_t(grain / (work_per_row + 1)) + 1;
  parallel_for(
      long((rows + step - 1) / step),
      [&](long t) {
        for (std::size_t row = t * step; row < (t + 1) * step && row < rows; ++row) f(row);
      },
      double(rows) * work_per_row);
}

}  // namespace rnx::inline RNX_ISA::host
