// Sums that become vectors: the same bits on every instruction set and for every number of threads.
#pragma once

#include <algorithm>
#include <numeric>

#include "rnx/kernels/cpu.hpp"

namespace rnx::inline RNX_ISA::host {

/// Eight sums side by side: number i of a run goes to sum i mod 8.
struct Lanes {
  static constexpr int width = 8, block = 8 * width;
  double sums[width] = {};

  /// Adds term(0) .. term(length - 1).
  template <class F> void add(int length, const F& term) {
    for (int first = 0; first < length; first += block) {
      const int n = std::min(block, length - first);
      double terms[block];  // two loops: each becomes vectors
      RNX_SIMD
      for (int k = 0; k < n; ++k) terms[k] = term(first + k);
      int k = 0;
      for (; k + width <= n; k += width) {
        RNX_SIMD
        for (int lane = 0; lane < width; ++lane) sums[lane] += terms[k + lane];
      }
      for (int lane = 0; k < n; ++k, ++lane) sums[lane] += terms[k];
    }
  }
  /// Adds factor(k) values[k]; the factors are computed as T.
  template <class T, class F> void add_products(int length, const T* values, const F& factor) {
    for (int first = 0; first < length; first += block) {
      const int n = std::min(block, length - first);
      T factors[block];
      RNX_SIMD
      for (int k = 0; k < n; ++k) factors[k] = factor(first + k);
      add(n, [&](int k) { return double(factors[k]) * double(values[first + k]); });
    }
  }
  double total() const { return std::accumulate(sums, sums + width, 0.0); }
};

}  // namespace rnx::inline RNX_ISA::host
