// CPU kernels of multi-bit weights.
#pragma once

#include "rnx/quant/cpu_filters.hpp"
#include "rnx/quant/least_squares.hpp"

namespace rnx::inline RNX_ISA {

namespace quant_detail {
/// The bases of the layer or of one filter, and their scales.
template <int K, class S, class T> struct MultiBitFit {
  using Map = quant::MultiBit<K, S>;
  const op::weight_bases<Map, T>& a;
  long begin, end;
  quant::bases_t<Map> M = quant::bases_of<Map>(a.told);
  double mean = 0, deviation = 0;

  void run() {
    find_spread();
    double alpha[most];
    find_bases(alpha);
    const int filters = a.g.groups * a.g.o;
    for (int m = 0; m < M; ++m)
      for (long o = begin; o < end; ++o) {
        if constexpr (learned_scales<S>)
          a.scales[m * filters + o] = a.parameters[S::per == quant::Per::layer ? m : o * M + m];
        else
          a.scales[m * filters + o] = T(alpha[m]);
      }
  }

 private:
  void find_spread() {
    const double count = double((end - begin) * host::filter_count(a.g));
    const T* theta = a.theta;
    mean = host::lane_sum(a.g, begin, end,
                          [=](std::size_t, std::size_t at) { return double(theta[at]); }) /
           count;
    const double squares =
        host::lane_sum(a.g, begin, end, [theta, m = mean](std::size_t, std::size_t at) {
          const double d = theta[at] - m;
          return d * d;
        });
    deviation = std::sqrt(squares / count);
  }
  static constexpr int most = Map::bases, pairs = most * (most + 1) / 2;
  using Lanes = host::Lanes;

  /// Writes the bases of a run; what least squares needs of them is added to `sums`: the products
  /// of each pair of bases, and those with the weights.
  void write_run(std::size_t k, std::size_t at, int length, Lanes (&sums)[pairs + most]) const {
    constexpr int block = Lanes::block;
    double signs[most][block];
    for (int first = 0; first < length; first += block) {
      const int n = std::min(block, length - first);
      const T* theta = a.theta + at + std::size_t(first);
      int pair = 0;
      for (int i = 0; i < M; ++i) {
        T* base = a.bases + i * a.g.count() + k + std::size_t(first);
        const double shift = Map::shift(i, M) * deviation, centre = mean;
        RNX_SIMD
        for (int j = 0; j < n; ++j) signs[i][j] = quant::sign(theta[j] - centre + shift);
        RNX_SIMD
        for (int j = 0; j < n; ++j) base[j] = T(signs[i][j]);
        if constexpr (learned_scales<S>) continue;
        sums[pairs + i].add(n, [&](int j) { return signs[i][j] * theta[j]; });
        for (int l = 0; l <= i; ++l)
          sums[pair++].add(n, [&](int j) { return signs[i][j] * signs[l][j]; });
      }
    }
  }
  /// Writes the bases; alpha: by least squares.
  void find_bases(double (&alpha)[most]) {
    const auto sums =
        host::range_sums<pairs + most>(a.g, begin, end, [&](long from, long to, auto& all) {
          Lanes lanes[pairs + most];
          host::each_run(a.g, from, to, [&](std::size_t k, std::size_t at, int length) {
            write_run(k, at, length, lanes);
          });
          for (int i = 0; i < pairs + most; ++i) all[std::size_t(i)] += lanes[i].total();
        });
    if constexpr (!learned_scales<S>) {
      double A[most][most] = {};
      int pair = 0;
      for (int i = 0; i < M; ++i)
        for (int j = 0; j <= i; ++j) A[i][j] = sums[pair++];
      std::copy_n(sums.begin() + pairs, most, alpha);
      solve(M, A, alpha);
    }
  }
};
}  // namespace quant_detail

template <int K, class S, class T> struct kernel<cpu, op::weight_bases<quant::MultiBit<K, S>, T>> {
  static void run(Stream, const op::weight_bases<quant::MultiBit<K, S>, T>& a) {
    host::each_scope<S::per>(a.g, [&](long begin, long end) {
      quant_detail::MultiBitFit<K, S, T>{a, begin, end}.run();
    });
  }
};
template <int K, class S, class T>
struct kernel<cpu, op::weight_bases_backward<quant::MultiBit<K, S>, T>> {
  using Map = quant::MultiBit<K, S>;
  static void run(Stream, const op::weight_bases_backward<Map, T>& a) {
    const quant::bases_t<Map> M = quant::bases_of<Map>(a.told);
    const int filters = a.g.groups * a.g.o;
    host::each_scope<S::per>(a.g, [&](long begin, long end) {
      T alpha = 0;
      for (int m = 0; m < M; ++m) alpha += a.scales[m * filters + begin];
      host::scope_weights(a.g, begin, end, [&](std::size_t k, std::size_t at) {
        if (std::abs(a.theta[at]) <= T(1)) a.dtheta[at] += alpha * a.dsum[k];
      });
      if constexpr (quant_detail::learned_scales<S>) {
        const std::size_t count = a.g.count();
        const auto sums = host::scope_sums<Map::bases>(
            a.g, begin, end, [&](std::size_t k, std::size_t, auto& all) {
              for (int m = 0; m < M; ++m) all[m] += double(a.bases[m * count + k]) * a.dsum[k];
            });
        const long row = S::per == quant::Per::layer ? 0 : begin * M;
        for (int m = 0; m < M; ++m) a.dparameters[row + m] += T(sums[m]);
      }
    });
  }
};

}  // namespace rnx::inline RNX_ISA
