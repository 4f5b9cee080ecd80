// Bases and least-squares scales of multi-bit weights, written out independently of the library.
#pragma once

#include <cmath>
#include <vector>

namespace test {

template <int M> struct Bases {
  std::vector<std::vector<double>> b;
  std::vector<double> alpha;
  explicit Bases(const std::vector<double>& w) : b(M, std::vector<double>(w.size())), alpha(M) {
    double mean = 0, var = 0;
    for (double v : w) mean += v / double(w.size());
    for (double v : w) var += (v - mean) * (v - mean) / double(w.size());
    double A[M][M + 1] = {};
    for (std::size_t i = 0; i < w.size(); ++i)
      for (int m = 0; m < M; ++m) {
        const double shift = M == 1 ? 0 : -1 + 2.0 * m / (M - 1 + (M == 1));
        b[m][i] = w[i] - mean + shift * std::sqrt(var) < 0 ? -1 : 1;
      }
    for (int r = 0; r < M; ++r)
      for (std::size_t i = 0; i < w.size(); ++i) {
        for (int c = 0; c < M; ++c) A[r][c] += b[r][i] * b[c][i];
        A[r][M] += b[r][i] * w[i];
      }
    for (int k = 0; k < M; ++k)
      for (int r = 0; r < M; ++r) {
        if (r == k) continue;
        const double f = A[r][k] / A[k][k];
        for (int c = 0; c <= M; ++c) A[r][c] -= f * A[k][c];
      }
    for (int m = 0; m < M; ++m) alpha[m] = A[m][M] / A[m][m];
  }
};

}  // namespace test
