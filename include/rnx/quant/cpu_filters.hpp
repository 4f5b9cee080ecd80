// How the CPU kernels of weight maps walk over weights: filter by filter, in parallel. Sums over a
// layer are cut into chunks of filters whose borders depend on sizes only, and the chunks' results
// are added in their order: the same bits for every number of threads.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "rnx/quant/cpu_lanes.hpp"
#include "rnx/quant/multi_bit.hpp"
#include "rnx/quant/weights.hpp"

namespace rnx::inline RNX_ISA::host {

/// f(dense index, theta offset, length) for runs of weights of filters [begin, end) of the active
/// corner that lie side by side, in the order (group, o, i, kh, kw).
template <class F> inline void each_run(const geometry::Weights& g, long begin, long end, F f) {
  const std::size_t row = std::size_t(g.i) * g.kh * g.kw;
  const bool dense = g.sw == 1 && g.sh == g.kw && g.si == long(g.kh) * g.kw;
  for (long filter = begin; filter < end; ++filter) {
    const std::size_t k = filter * row, at = filter / g.o * g.sg + filter % g.o * g.so;
    if (dense) {
      f(k, at, int(row));
      continue;
    }
    std::size_t next = k;
    for (int i = 0; i < g.i; ++i)
      for (int y = 0; y < g.kh; ++y)
        for (int x = 0; x < g.kw; ++x) f(next++, at + i * g.si + y * g.sh + x * g.sw, 1);
  }
}
/// f(dense index, theta offset) for each of these weights.
template <class F> inline void each_weight(const geometry::Weights& g, long begin, long end, F f) {
  each_run(g, begin, end, [&](std::size_t k, std::size_t at, int length) {
    for (int i = 0; i < length; ++i) f(k + std::size_t(i), at + std::size_t(i));
  });
}
/// For all filters, one after the other.
template <class F> inline void each_weight(const geometry::Weights& g, F f) {
  each_weight(g, 0, long(g.groups) * g.o, f);
}

constexpr long most_filter_chunks = 64;

/// f(begin, end, chunk) for chunks of filters, in parallel.
template <class F> inline long each_filters(const geometry::Weights& g, const F& f) {
  const long filters = long(g.groups) * g.o, chunks = std::min(filters, most_filter_chunks);
  parallel_for(
      chunks,
      [&](long i) { f(chunk_begin(filters, chunks, i), chunk_begin(filters, chunks, i + 1), i); },
      4.0 * double(g.count()));
  return chunks;
}
/// f(dense index, theta offset) for each weight, in parallel: it writes what is that weight's.
template <class F> inline void every_weight(const geometry::Weights& g, const F& f) {
  each_filters(g, [&](long begin, long end, long) { each_weight(g, begin, end, f); });
}
/// f(filter) for each filter, in parallel.
template <class F> inline void every_filter(const geometry::Weights& g, const F& f) {
  each_filters(g, [&](long begin, long end, long) {
    for (long filter = begin; filter < end; ++filter) f(filter);
  });
}
/// K sums over the layer: f(begin, end, sums) adds what filters [begin, end) give.
template <std::size_t K, class F>
inline std::array<double, K> filter_sums(const geometry::Weights& g, const F& f) {
  std::array<double, K> parts[most_filter_chunks];
  const long chunks = each_filters(g, [&](long begin, long end, long i) {
    parts[i] = {};
    f(begin, end, parts[i]);
  });
  std::array<double, K> sums{};
  for (long i = 0; i < chunks; ++i)
    for (std::size_t k = 0; k < K; ++k) sums[k] += parts[i][k];
  return sums;
}

/// What a map learns or measures for the layer or for each filter: f(begin, end) for each range of
/// filters that has one of its own.
template <quant::Per P, class F> inline void each_scope(const geometry::Weights& g, const F& f) {
  const long filters = long(g.groups) * g.o;
  if constexpr (P == quant::Per::layer)
    f(0, filters);
  else
    every_filter(g, [&](long filter) { f(filter, filter + 1); });
}
/// K sums over such a range: f(begin, end, sums) adds what filters [begin, end) give.
template <std::size_t K, class F>
inline std::array<double, K> range_sums(const geometry::Weights& g, long begin, long end,
                                        const F& f) {
  if (end - begin > 1) return filter_sums<K>(g, f);
  std::array<double, K> sums{};
  f(begin, end, sums);
  return sums;
}
/// The same, of what f(dense index, theta offset, sums) adds for each weight.
template <std::size_t K, class F>
inline std::array<double, K> scope_sums(const geometry::Weights& g, long begin, long end,
                                        const F& f) {
  return range_sums<K>(g, begin, end, [&](long from, long to, std::array<double, K>& sums) {
    each_weight(g, from, to, [&](std::size_t k, std::size_t at) { f(k, at, sums); });
  });
}
/// The sum over such a range of term(dense index, theta offset).
template <class F>
inline double lane_sum(const geometry::Weights& g, long begin, long end, const F& term) {
  return range_sums<1>(g, begin, end, [&](long from, long to, std::array<double, 1>& sums) {
    Lanes lanes;
    each_run(g, from, to, [&](std::size_t k, std::size_t at, int length) {
      lanes.add(length, [&](int i) { return term(k + std::size_t(i), at + std::size_t(i)); });
    });
    sums[0] += lanes.total();
  })[0];
}
/// f(dense index, theta offset) for each weight of such a range.
template <class F>
inline void scope_weights(const geometry::Weights& g, long begin, long end, const F& f) {
  if (end - begin > 1)
    every_weight(g, f);
  else
    each_weight(g, begin, end, f);
}
/// Of one filter.
inline std::size_t filter_count(const geometry::Weights& g) {
  return std::size_t(g.i) * g.kh * g.kw;
}

}  // namespace rnx::inline RNX_ISA::host
