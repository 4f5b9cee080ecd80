// The scales of multi-bit weights by least squares, which every device shares.
#pragma once

#include <cmath>

#include "rnx/quant/multi_bit.hpp"

namespace rnx::inline RNX_ISA::quant_detail {

/// Solves the normal equations A a = b (A: M x M, symmetric) by Cholesky. A base that the earlier
/// ones span gets scale 0. Count: bases_t, or int.
template <class Count, int Most>
RNX_HD inline void solve(Count M, double (&A)[Most][Most], double (&b)[Most]) {
  bool spanned[Most] = {};
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

}  // namespace rnx::inline RNX_ISA::quant_detail
