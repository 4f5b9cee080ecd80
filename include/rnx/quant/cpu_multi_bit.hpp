// CPU kernels of multi-bit weights.
#pragma once

#include "rnx/quant/cpu_filters.hpp"

namespace rnx::inline RNX_ISA {

namespace quant_detail {
/// Solves the normal equations A a = b (A: m x m, symmetric) by Cholesky. A base that the earlier
/// ones span gets scale 0.
template <int M> inline void solve(double (&A)[M][M], double (&b)[M]) {
  bool spanned[M] = {};
  for (int j = 0; j < M; ++j) {
    const double diagonal = A[j][j];
    for (int k = 0; k < j; ++k) A[j][j] -= A[j][k] * A[j][k];
    spanned[j] = A[j][j] <= 1e-12 * diagonal;
    A[j][j] = spanned[j] ? 1 : std::sqrt(A[j][j]);
    for (int i = j + 1; i < M; ++i) {
      for (int k = 0; k < j; ++k) A[i][j] -= A[i][k] * A[j][k];
      A[i][j] = spanned[j] ? 0 : A[i][j] / A[j][j];
    }
  }
  for (int i = 0; i < M; ++i) {
    for (int k = 0; k < i; ++k) b[i] -= A[i][k] * b[k];
    b[i] = spanned[i] ? 0 : b[i] / A[i][i];
  }
  for (int i = M; i-- > 0;) {
    for (int k = i + 1; k < M; ++k) b[i] -= A[k][i] * b[k];
    b[i] = spanned[i] ? 0 : b[i] / A[i][i];
  }
}

template <class Scales> constexpr bool learned_scales = false;
template <quant::Per P> constexpr bool learned_scales<quant::Learned<P>> = true;

/// The bases of the layer or of one filter, and their scales.
template <int M, class S, class T> struct MultiBitFit {
  using Map = quant::MultiBit<M, S>;
  const op::weight_bases<Map, T>& a;
  long begin, end;
  double mean = 0, deviation = 0;

  void run() {
    find_spread();
    double alpha[M];
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
    mean = host::scope_sums<1>(
               a.g, begin, end,
               [&](std::size_t, std::size_t at, auto& sums) { sums[0] += a.theta[at]; })[0] /
           count;
    const double squares =
        host::scope_sums<1>(a.g, begin, end, [&](std::size_t, std::size_t at, auto& sums) {
          const double d = a.theta[at] - mean;
          sums[0] += d * d;
        })[0];
    deviation = std::sqrt(squares / count);
  }
  /// Writes the bases; alpha: by least squares.
  void find_bases(double (&alpha)[M]) {
    constexpr int pairs = M * (M + 1) / 2;
    const std::size_t count = a.g.count();
    const auto sums =
        host::scope_sums<pairs + M>(a.g, begin, end, [&](std::size_t k, std::size_t at, auto& all) {
          double s[M];
          int pair = 0;
          for (int i = 0; i < M; ++i) {
            s[i] = quant::sign(a.theta[at] - mean + Map::shift(i) * deviation);
            a.bases[i * count + k] = T(s[i]);
            if constexpr (learned_scales<S>) continue;
            all[pairs + i] += s[i] * a.theta[at];
            for (int j = 0; j <= i; ++j) all[pair++] += s[i] * s[j];
          }
        });
    if constexpr (!learned_scales<S>) {
      double A[M][M] = {};
      int pair = 0;
      for (int i = 0; i < M; ++i)
        for (int j = 0; j <= i; ++j) A[i][j] = sums[pair++];
      std::copy_n(sums.begin() + pairs, M, alpha);
      solve<M>(A, alpha);
    }
  }
};
}  // namespace quant_detail

template <int M, class S, class T> struct kernel<cpu, op::weight_bases<quant::MultiBit<M, S>, T>> {
  static void run(Stream, const op::weight_bases<quant::MultiBit<M, S>, T>& a) {
    host::each_scope<S::per>(a.g, [&](long begin, long end) {
      quant_detail::MultiBitFit<M, S, T>{a, begin, end}.run();
    });
  }
};
template <int M, class S, class T>
struct kernel<cpu, op::weight_bases_backward<quant::MultiBit<M, S>, T>> {
  static void run(Stream, const op::weight_bases_backward<quant::MultiBit<M, S>, T>& a) {
    const int filters = a.g.groups * a.g.o;
    host::each_scope<S::per>(a.g, [&](long begin, long end) {
      T alpha = 0;
      for (int m = 0; m < M; ++m) alpha += a.scales[m * filters + begin];
      host::scope_weights(a.g, begin, end, [&](std::size_t k, std::size_t at) {
        if (std::abs(a.theta[at]) <= T(1)) a.dtheta[at] += alpha * a.dsum[k];
      });
      if constexpr (quant_detail::learned_scales<S>) {
        const std::size_t count = a.g.count();
        const auto sums =
            host::scope_sums<M>(a.g, begin, end, [&](std::size_t k, std::size_t, auto& all) {
              for (int m = 0; m < M; ++m) all[m] += double(a.bases[m * count + k]) * a.dsum[k];
            });
        const long row = S::per == quant::Per::layer ? 0 : begin * M;
        for (int m = 0; m < M; ++m) a.dparameters[row + m] += T(sums[m]);
      }
    });
  }
};

}  // namespace rnx::inline RNX_ISA
