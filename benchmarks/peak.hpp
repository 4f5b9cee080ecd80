// The processor's peak of fused multiply-adds, measured in the process that quotes shares of it.
#pragma once

#include <algorithm>
#include <chrono>

#include <benchmark/benchmark.h>

#include <rnx/kernels.hpp>

/// Fused multiply-adds on independent registers: the best of `trials` short measurements of each
/// thread, all threads at once, summed.
inline double fma_peak(int trials) {
  using namespace rnx;
  using V = host::vec<float>;
  using clock = std::chrono::steady_clock;
  constexpr long count = 50'000;
  constexpr int chains = 12;  // latency 4, two ports
  double sum_of_best = 0;
#pragma omp parallel reduction(+ : sum_of_best)
  {
    double best = 0;
    for (int trial = 0; trial < trials; ++trial) {
      V sum[chains] = {}, x = V{} + 0.5f, y = V{} + 0.25f;
      benchmark::DoNotOptimize(x);
      benchmark::DoNotOptimize(y);
      const auto start = clock::now();
      for (long i = 0; i < count; ++i)
#pragma GCC unroll 12
        for (int k = 0; k < chains; ++k) sum[k] = sum[k] * x + y;
      for (V& s : sum) benchmark::DoNotOptimize(s);
      best = std::max(best, 2e-9 * count * chains * host::vector_lanes<float> /
                                std::chrono::duration<double>(clock::now() - start).count());
    }
    sum_of_best = best;
  }
  return sum_of_best;
}
