// Weight maps of one base on CUDA.
#pragma once

#include "rnx/quant/cuda_filters.cuh"
#include "rnx/quant/cuda_ternary.cuh"
#include "rnx/quant/cuda_xnor.cuh"
#include "rnx/quant/int8.hpp"
#include "rnx/quant/weights.hpp"

namespace rnx::inline RNX_ABI::gpu {

template <class W, class T>
  requires std::is_base_of_v<quant::Elementwise, W>
struct element<op::weight_bases<W, T>> {
  static_assert(!W::scaled,
                "rnx: an elementwise weight map with scales needs a body of its own that writes "
                "them");
  op::weight_bases<W, T> a;
  std::size_t count() const { return a.g.count(); }
  RNX_HD void operator()(std::size_t k) const {
    a.bases[k] = W::value(a.theta[weight_offset(a.g, k)]);
  }
};
template <class W, class T>
  requires std::is_base_of_v<quant::Elementwise, W>
struct element<op::weight_bases_backward<W, T>> {
  op::weight_bases_backward<W, T> a;
  std::size_t count() const { return a.g.count(); }
  RNX_HD void operator()(std::size_t k) const {
    const std::size_t at = weight_offset(a.g, k);
    if (const T slope = W::slope(a.theta[at]); slope != T(0)) a.dtheta[at] += slope * a.dsum[k];
  }
};

/// bases = sign(w)
template <class T> struct WeightSigns {
  geometry::Weights g;
  const T* theta;
  T* bases;
  RNX_HD void operator()(std::size_t k) const {
    bases[k] = quant::sign(theta[weight_offset(g, k)]);
  }
};
/// dw += dS where |w| <= limit
template <class T> struct StraightThrough {
  geometry::Weights g;
  const T* theta;
  const T* dsum;
  T* dtheta;
  T limit;
  RNX_HD void operator()(std::size_t k) const {
    const std::size_t at = weight_offset(g, k);
    if (std::fabs(theta[at]) <= limit) dtheta[at] += dsum[k];
  }
};
/// dw += dS
template <class T> struct PassThrough {
  geometry::Weights g;
  const T* dsum;
  T* dtheta;
  RNX_HD void operator()(std::size_t k) const { dtheta[weight_offset(g, k)] += dsum[k]; }
};

template <class T> struct body<op::weight_bases<quant::BiRealWeights, T>> {
  template <class E>
  static void run(const E& on, const op::weight_bases<quant::BiRealWeights, T>& a) {
    const Scopes s(a.g, quant::Per::channel);
    on.each(a.g.count(), WeightSigns<T>{a.g, a.theta, a.bases});
    sum_segments(on, s.segments, s.length, false, WeightSizes<T>{a.g, a.theta, s.length},
                 StoreScales<T>{a.scales, s.length, s.filters});
  }
};
template <class T> struct body<op::weight_bases_backward<quant::BiRealWeights, T>> {
  template <class E>
  static void run(const E& on, const op::weight_bases_backward<quant::BiRealWeights, T>& a) {
    on.each(a.g.count(), StraightThrough<T>{a.g, a.theta, a.dsum, a.dtheta, T(1)});
  }
};

template <class T> struct Int8Levels {
  op::weight_bases<quant::Int8Weights, T> a;
  const T* largest;
  std::size_t length;
  RNX_HD void operator()(std::size_t k) const {
    const std::size_t filter = Split(k, length).quotient;
    const T scale = largest[filter] / T(127);
    a.bases[k] =
        scale == T(0) ? T(0) : quant::round_quotient(a.theta[weight_offset(a.g, k)] / scale);
    if (k == filter * length) a.scales[filter] = scale;
  }
};
template <class T> struct body<op::weight_bases<quant::Int8Weights, T>> {
  template <class E>
  static void run(const E& on, const op::weight_bases<quant::Int8Weights, T>& a) {
    const Scopes s(a.g, quant::Per::channel);
    const Scratch<T, E> largest(on, s.segments);
    largest_weights(on, a.g, a.theta, s, largest.data());
    on.each(a.g.count(), Int8Levels<T>{a, largest.data(), s.length});
  }
};
template <class T> struct body<op::weight_bases_backward<quant::Int8Weights, T>> {
  template <class E>
  static void run(const E& on, const op::weight_bases_backward<quant::Int8Weights, T>& a) {
    on.each(a.g.count(), PassThrough<T>{a.g, a.dsum, a.dtheta});
  }
};

template <int Bits, class T> struct DoReFaLevels {
  op::weight_bases<quant::DoReFaWeights<Bits>, T> a;
  const T* largest;
  T levels;
  RNX_HD void operator()(std::size_t k) const {
    a.bases[k] = quant::DoReFaWeights<Bits>::level(a.theta[weight_offset(a.g, k)],
                                                   T(std::tanh(*largest)), levels);
  }
};
template <int Bits, class T> struct body<op::weight_bases<quant::DoReFaWeights<Bits>, T>> {
  using Map = quant::DoReFaWeights<Bits>;
  template <class E> static void run(const E& on, const op::weight_bases<Map, T>& a) {
    const Scopes s(a.g, quant::Per::layer);
    if constexpr (Bits == 1) {
      on.each(a.g.count(), WeightSigns<T>{a.g, a.theta, a.bases});
      sum_segments(on, s.segments, s.length, false, WeightSizes<T>{a.g, a.theta, s.length},
                   StoreScales<T>{a.scales, s.length, s.filters});
    } else {
      const Scratch<T, E> largest(on, 1);
      largest_weights(on, a.g, a.theta, s, largest.data());
      on.each(a.g.count(),
              DoReFaLevels<Bits, T>{a, largest.data(), T((1 << quant::bits_of<Map>(a.told)) - 1)});
    }
  }
};

/// The gradient through the maximum, which ties share, and through the rest.
template <int Bits, class T> struct DoReFaBackward {
  static constexpr int terms = 2;
  op::weight_bases_backward<quant::DoReFaWeights<Bits>, T> a;
  const T* largest;
  T* of_most;
  RNX_SHARED void operator()(std::size_t, std::size_t k, double* acc) const {
    const T w = a.theta[weight_offset(a.g, k)];
    acc[0] += double(std::tanh(w)) * a.dsum[k];
    acc[1] += std::fabs(w) == *largest;
  }
  RNX_SHARED void operator()(std::size_t, const double* sums) const {
    const T m = std::tanh(*largest);
    *of_most = T(sums[0] / (double(m) * m * sums[1]));
  }
  RNX_HD void operator()(std::size_t k) const {
    const std::size_t at = weight_offset(a.g, k);
    const T w = a.theta[at], t = std::tanh(w), m = std::tanh(*largest);
    if (m == T(0)) return;
    const T share = std::fabs(w) == *largest ? quant::sign(t) * *of_most : T(0);
    a.dtheta[at] += (a.dsum[k] / m - share) * (1 - t * t);
  }
};
template <int Bits, class T> struct body<op::weight_bases_backward<quant::DoReFaWeights<Bits>, T>> {
  template <class E>
  static void run(const E& on, const op::weight_bases_backward<quant::DoReFaWeights<Bits>, T>& a) {
    if constexpr (Bits == 1) {
      on.each(a.g.count(), PassThrough<T>{a.g, a.dsum, a.dtheta});
    } else {
      const Scratch<T, E> memory(on, 2);
      largest_weights(on, a.g, a.theta, Scopes(a.g, quant::Per::layer), memory.data());
      const DoReFaBackward<Bits, T> f{a, memory.data(), memory.data() + 1};
      sum_segments(on, 1, a.g.count(), false, f, f);
      on.each(a.g.count(), f);
    }
  }
};

}  // namespace rnx::inline RNX_ABI::gpu
