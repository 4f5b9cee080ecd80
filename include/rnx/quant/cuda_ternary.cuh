// Ternary weights on CUDA.
#pragma once

#include "rnx/quant/cuda_filters.cuh"
#include "rnx/quant/weights.hpp"

namespace rnx::inline RNX_ABI::gpu {

template <class T> struct StoreThreshold {
  double* thresholds;
  std::size_t length;
  RNX_SHARED void operator()(std::size_t segment, const double* sums) const {
    thresholds[segment] = 0.7 * sums[0] / double(length);
  }
};
/// The bases, then of those that are not 0 the sum of |w| and their number.
template <quant::Per P, class T> struct Ternary {
  static constexpr int terms = 2;
  op::weight_bases<quant::TernaryWeights<P>, T> a;
  const double* thresholds;
  std::size_t length, filters;  // of a segment
  RNX_HD void operator()(std::size_t k) const {
    const T w = a.theta[weight_offset(a.g, k)];
    a.bases[k] = std::fabs(w) <= thresholds[Split(k, length).quotient]
                     ? T(0)
                     : quant::sign(w);  // a NaN stays one
  }
  RNX_SHARED void operator()(std::size_t segment, std::size_t j, double* acc) const {
    const std::size_t k = segment * length + j;
    if (a.bases[k] == T(0)) return;
    acc[0] += std::fabs(a.theta[weight_offset(a.g, k)]);
    acc[1] += 1;
  }
  RNX_SHARED void operator()(std::size_t segment, const double* sums) const {
    for (std::size_t o = segment * filters; o < (segment + 1) * filters; ++o)
      a.scales[o] = T(sums[1] > 0 ? sums[0] / sums[1] : 0);
  }
};
template <quant::Per P, class T> struct body<op::weight_bases<quant::TernaryWeights<P>, T>> {
  template <class E>
  static void run(const E& on, const op::weight_bases<quant::TernaryWeights<P>, T>& a) {
    const Scopes s(a.g, P);
    const Scratch<double, E> thresholds(on, s.segments);
    sum_segments(on, s.segments, s.length, false, WeightSizes<T>{a.g, a.theta, s.length},
                 StoreThreshold<T>{thresholds.data(), s.length});
    const Ternary<P, T> f{a, thresholds.data(), s.length, s.filters};
    on.each(a.g.count(), f);
    sum_segments(on, s.segments, s.length, false, f, f);
  }
};
template <quant::Per P, class T>
struct element<op::weight_bases_backward<quant::TernaryWeights<P>, T>> {
  op::weight_bases_backward<quant::TernaryWeights<P>, T> a;
  std::size_t count() const { return a.g.count(); }
  RNX_HD void operator()(std::size_t k) const { a.dtheta[weight_offset(a.g, k)] += a.dsum[k]; }
};

}  // namespace rnx::inline RNX_ABI::gpu
