// XNOR-Net's weights on CUDA.
#pragma once

#include "rnx/quant/cuda_filters.cuh"
#include "rnx/quant/weights.hpp"

namespace rnx::inline RNX_ABI::gpu {

/// Weights less their mean over the input channels, where there are several.
template <class T> struct Centred {
  geometry::Weights g;
  const T* theta;
  double* means;  // (filters, kh, kw)
  std::size_t means_count() const { return g.i > 1 ? filter_count(g) * g.kh * g.kw : 0; }
  RNX_SHARED std::size_t row() const { return std::size_t(g.i) * g.kh * g.kw; }
  /// Weight k, centred.
  RNX_SHARED T value(std::size_t k) const {
    const std::size_t taps = std::size_t(g.kh) * g.kw;
    const Split tap(k, taps), input(tap.quotient, g.i);
    return T(theta[weight_offset(g, k)] -
             (g.i > 1 ? means[input.quotient * taps + tap.remainder] : 0.0));
  }
  /// Computes one mean.
  RNX_HD void operator()(std::size_t e) const {
    const std::size_t taps = std::size_t(g.kh) * g.kw;
    const Split tap(e, taps);
    double mean = 0;
    for (int i = 0; i < g.i; ++i)
      mean +=
          double(theta[weight_offset(g, (tap.quotient * g.i + i) * taps + tap.remainder)]) / g.i;
    means[e] = mean;
  }
};

template <class T> struct XnorBases {
  static constexpr int terms = 1;
  Centred<T> centred;
  T* bases;
  RNX_HD void operator()(std::size_t k) const { bases[k] = quant::sign(centred.value(k)); }
  RNX_SHARED void operator()(std::size_t filter, std::size_t j, double* acc) const {
    const T size = std::fabs(centred.value(filter * centred.row() + j));
    acc[0] += size > T(1) ? T(1) : size;
  }
};
template <class T> struct body<op::weight_bases<quant::XnorWeights, T>> {
  template <class E>
  static void run(const E& on, const op::weight_bases<quant::XnorWeights, T>& a) {
    const std::size_t filters = filter_count(a.g);
    Centred<T> centred{a.g, a.theta, nullptr};
    const Scratch<double, E> means(on, centred.means_count());
    centred.means = means.data();
    on.each(centred.means_count(), centred);
    const XnorBases<T> f{centred, a.bases};
    on.each(a.g.count(), f);
    sum_segments(on, filters, centred.row(), false, f, StoreScales<T>{a.scales, centred.row(), 1});
  }
};

template <class T> struct XnorBackward {
  static constexpr int terms = 1;
  op::weight_bases_backward<quant::XnorWeights, T> a;
  Centred<T> centred;
  T* along;  // mean of sign(W) dS of each filter
  RNX_SHARED void operator()(std::size_t filter, std::size_t j, double* acc) const {
    const std::size_t k = filter * centred.row() + j;
    acc[0] += double(a.bases[k]) * a.dsum[k];
  }
  RNX_SHARED void operator()(std::size_t filter, const double* sums) const {
    along[filter] = T(sums[0] / double(centred.row()));
  }
  RNX_HD void operator()(std::size_t k) const {
    const std::size_t filter = Split(k, centred.row()).quotient;
    const T factor = a.g.i > 1 ? T(1) - T(1) / T(a.g.i) : T(1);
    const T through = std::fabs(centred.value(k)) <= T(1) ? a.scales[filter] * a.dsum[k] : T(0);
    a.dtheta[weight_offset(a.g, k)] += factor * (through + a.bases[k] * along[filter]);
  }
};
template <class T> struct body<op::weight_bases_backward<quant::XnorWeights, T>> {
  template <class E>
  static void run(const E& on, const op::weight_bases_backward<quant::XnorWeights, T>& a) {
    const std::size_t filters = filter_count(a.g);
    Centred<T> centred{a.g, a.theta, nullptr};
    const Scratch<double, E> means(on, centred.means_count());
    const Scratch<T, E> along(on, filters);
    centred.means = means.data();
    on.each(centred.means_count(), centred);
    const XnorBackward<T> f{a, centred, along.data()};
    sum_segments(on, filters, centred.row(), false, f, f);
    on.each(a.g.count(), f);
  }
};

}  // namespace rnx::inline RNX_ABI::gpu
