// Multi-bit weights on CUDA: mean and deviation of the layer or of each filter, signs around them,
// and scales by least squares from sums over the weights.
#pragma once

#include "rnx/quant/cuda_filters.cuh"
#include "rnx/quant/least_squares.hpp"

namespace rnx::inline RNX_ABI::gpu {

/// Mean, then deviation from it, of each segment: spread (segments, 2).
template <class T, bool Squared> struct WeightSpread {
  static constexpr int terms = 1;
  geometry::Weights g;
  const T* theta;
  std::size_t length;
  double* spread;
  RNX_SHARED void operator()(std::size_t segment, std::size_t j, double* acc) const {
    const double w = theta[weight_offset(g, segment * length + j)],
                 d = w - (Squared ? spread[2 * segment] : 0.0);
    acc[0] += Squared ? d * d : d;
  }
  RNX_SHARED void operator()(std::size_t segment, const double* sums) const {
    const double mean = sums[0] / double(length);
    spread[2 * segment + Squared] = Squared ? std::sqrt(mean) : mean;
  }
};

template <int K, class S, class T> struct MultiBitBases {
  using Map = quant::MultiBit<K, S>;
  static constexpr int most = Map::bases, pairs = most * (most + 1) / 2, terms = pairs + most;
  op::weight_bases<Map, T> a;
  int bases;
  std::size_t length, filters;  // of a segment
  const double* spread;

  RNX_SHARED double sign(std::size_t segment, double w, int i) const {
    return quant::sign(w - spread[2 * segment] + Map::shift(i, bases) * spread[2 * segment + 1]);
  }
  RNX_HD void operator()(std::size_t k) const {
    const std::size_t segment = Split(k, length).quotient, count = a.g.count();
    const double w = a.theta[weight_offset(a.g, k)];
    for (int i = 0; i < bases; ++i) a.bases[i * count + k] = T(sign(segment, w, i));
  }
  /// What least squares needs: the products of each pair of bases, and those with the weights.
  RNX_SHARED void operator()(std::size_t segment, std::size_t j, double* acc) const {
    const double w = a.theta[weight_offset(a.g, segment * length + j)];
    double signs[most];
    int pair = 0;
    for (int i = 0; i < bases; ++i) {
      signs[i] = sign(segment, w, i);
      acc[pairs + i] += signs[i] * w;
      for (int l = 0; l <= i; ++l) acc[pair++] += signs[i] * signs[l];
    }
  }
  RNX_SHARED void operator()(std::size_t segment, const double* sums) const {
    double A[most][most] = {}, alpha[most];
    int pair = 0;
    for (int i = 0; i < bases; ++i) {
      alpha[i] = sums[pairs + i];
      for (int j = 0; j <= i; ++j) A[i][j] = sums[pair++];
    }
    quant_detail::solve(bases, A, alpha);
    for (int m = 0; m < bases; ++m)
      for (std::size_t o = segment * filters; o < (segment + 1) * filters; ++o)
        a.scales[m * filter_count(a.g) + o] = T(alpha[m]);
  }
};
/// The scales that are parameters, as the kernels read them: (bases, filters).
template <int K, class S, class T> struct LearnedScales {
  op::weight_bases<quant::MultiBit<K, S>, T> a;
  int bases;
  RNX_HD void operator()(std::size_t e) const {
    const Split at(e, filter_count(a.g));
    const std::size_t m = at.quotient;
    a.scales[e] = a.parameters[S::per == quant::Per::layer ? m : at.remainder * bases + m];
  }
};
template <int K, class S, class T> struct body<op::weight_bases<quant::MultiBit<K, S>, T>> {
  template <class E>
  static void run(const E& on, const op::weight_bases<quant::MultiBit<K, S>, T>& a) {
    const Scopes s(a.g, S::per);
    const Scratch<double, E> spread(on, 2 * s.segments);
    const WeightSpread<T, false> mean{a.g, a.theta, s.length, spread.data()};
    const WeightSpread<T, true> deviation{a.g, a.theta, s.length, spread.data()};
    sum_segments(on, s.segments, s.length, false, mean, mean);
    sum_segments(on, s.segments, s.length, false, deviation, deviation);
    const int bases = quant::bases_of<quant::MultiBit<K, S>>(a.told);
    const MultiBitBases<K, S, T> f{a, bases, s.length, s.filters, spread.data()};
    on.each(a.g.count(), f);
    if constexpr (quant_detail::learned_scales<S>)
      on.each(bases * filter_count(a.g), LearnedScales<K, S, T>{a, bases});
    else
      sum_segments(on, s.segments, s.length, false, f, f);
  }
};

template <int K, class S, class T> struct MultiBitBackward {
  using Map = quant::MultiBit<K, S>;
  static constexpr int terms = Map::bases;
  op::weight_bases_backward<Map, T> a;
  int bases;
  std::size_t length, filters;  // of a segment
  RNX_HD void operator()(std::size_t k) const {
    const std::size_t at = weight_offset(a.g, k), first = Split(k, length).quotient * filters;
    T alpha = 0;
    for (int m = 0; m < bases; ++m) alpha += a.scales[m * filter_count(a.g) + first];
    if (std::fabs(a.theta[at]) <= T(1)) a.dtheta[at] += alpha * a.dsum[k];
  }
  /// Of learned scales.
  RNX_SHARED void operator()(std::size_t segment, std::size_t j, double* acc) const {
    const std::size_t k = segment * length + j, count = a.g.count();
    for (int m = 0; m < bases; ++m) acc[m] += double(a.bases[m * count + k]) * a.dsum[k];
  }
  RNX_SHARED void operator()(std::size_t segment, const double* sums) const {
    for (int m = 0; m < bases; ++m) a.dparameters[segment * bases + m] += T(sums[m]);
  }
};
template <int K, class S, class T>
struct body<op::weight_bases_backward<quant::MultiBit<K, S>, T>> {
  template <class E>
  static void run(const E& on, const op::weight_bases_backward<quant::MultiBit<K, S>, T>& a) {
    const Scopes s(a.g, S::per);
    const MultiBitBackward<K, S, T> f{a, quant::bases_of<quant::MultiBit<K, S>>(a.told), s.length,
                                      s.filters};
    on.each(a.g.count(), f);
    if constexpr (quant_detail::learned_scales<S>)
      sum_segments(on, s.segments, s.length, false, f, f);
  }
};

}  // namespace rnx::inline RNX_ABI::gpu
