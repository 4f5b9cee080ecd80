// Elastic kernel sizes of convolutions (elastic_rule.hpp), and their CPU kernels.
#pragma once

#include "rnx/layers.hpp"
#include "rnx/search/elastic_rule.hpp"

namespace rnx::inline RNX_ISA::search {

/// Kernel rule of Conv and Depthwise: Depthwise<7, ElasticKernel<7, 5, 3>>.
template <int... Ks> using ElasticKernel = kernel_rule::Elastic<Ks...>;

}  // namespace rnx::inline RNX_ISA::search

namespace rnx::inline RNX_ISA {

template <int... Ks, class T>
struct kernel<cpu, op::derived_kernel<kernel_rule::Elastic<Ks...>, T>> {
  static void run(Stream, const op::derived_kernel<kernel_rule::Elastic<Ks...>, T>& a) {
    using Rule = kernel_rule::Elastic<Ks...>;
    const auto& g = a.g;
    const int rows = g.groups * g.o * g.i, k = g.kh;
    host::parallel_for(
        rows,
        [&](long r) {
          const T* theta = a.theta + r / (g.o * g.i) * g.sg + r / g.i % g.o * g.so + r % g.i * g.si;
          T w[Rule::maximum * Rule::maximum], u[Rule::maximum * Rule::maximum];
          kernel_rule::crop_kernel(theta, Rule::maximum, g.sh,
                                   Rule::maximum == k ? k : Rule::sizes[Rule::count > 1], u);
          const T* matrix = a.extra;
          if (k == Rule::maximum) std::copy(u, u + k * k, w);
          for (int i = 1; i < Rule::count && Rule::sizes[i] >= k; ++i) {
            const int m = Rule::sizes[i] * Rule::sizes[i];
            if (i > 1)
              kernel_rule::crop_kernel(w, Rule::sizes[i - 1], Rule::sizes[i - 1], Rule::sizes[i],
                                       u);
            kernel_rule::transform_kernel(matrix, m, u, w);
            matrix += m * m;
          }
          std::copy(w, w + k * k, a.weights + r * k * k);
        },
        2.0 * rows * Rule::extra(0));
  }
};

/// dMj += sum over kernels of dw(Kj) crop(w(Kj-1))^T;  dtheta += the transposed maps of dw, inside
/// the used crop only.
/// One thread sums in one order: the matrices are shared by all channels.
template <int... Ks, class T>
struct kernel<cpu, op::derived_kernel_backward<kernel_rule::Elastic<Ks...>, T>> {
  static void run(Stream, const op::derived_kernel_backward<kernel_rule::Elastic<Ks...>, T>& a) {
    using Rule = kernel_rule::Elastic<Ks...>;
    constexpr int most = Rule::maximum * Rule::maximum;
    const auto& g = a.g;
    const int rows = g.groups * g.o * g.i, k = g.kh;
    int steps = 0;
    std::array<const T*, Rule::count> matrix{};
    std::array<T*, Rule::count> dmatrix{};
    for (int i = 1, at = 0; i < Rule::count && Rule::sizes[i] >= k; ++i) {
      const int m = Rule::sizes[i] * Rule::sizes[i];
      matrix[i] = a.extra + at;
      dmatrix[i] = a.dextra + at;
      steps = i;
      at += m * m;
    }
    for (long r = 0; r < rows; ++r) {
      const std::size_t at = r / (g.o * g.i) * g.sg + r / g.i % g.o * g.so + r % g.i * g.si;
      T u[Rule::count][most], w[most], dw[most], du[most];  // u[i]: what Mi multiplied
      for (int i = 1; i <= steps; ++i) {
        if (i == 1)
          kernel_rule::crop_kernel(a.theta + at, Rule::maximum, g.sh, Rule::sizes[1 % Rule::count],
                                   u[i]);
        else
          kernel_rule::crop_kernel(w, Rule::sizes[i - 1], Rule::sizes[i - 1], Rule::sizes[i], u[i]);
        kernel_rule::transform_kernel(matrix[i], Rule::sizes[i] * Rule::sizes[i], u[i], w);
      }
      std::copy(a.dweights + r * k * k, a.dweights + (r + 1) * k * k, dw);
      for (int i = steps; i > 0; --i) {
        const int side = Rule::sizes[i], m = side * side;
        for (int c = 0; c < m; ++c) du[c] = 0;
        for (int q = 0; q < m; ++q)
          for (int c = 0; c < m; ++c) {
            dmatrix[i][q * m + c] += dw[q] * u[i][c];
            du[c] += matrix[i][q * m + c] * dw[q];
          }
        const int wide = i == 1 ? side : Rule::sizes[i - 1],
                  d = (wide - side) / 2;  // the first crop is of theta itself, below
        for (int c = 0; c < wide * wide; ++c) dw[c] = 0;
        for (int c = 0; c < m; ++c) dw[(c / side + d) * wide + c % side + d] = du[c];
      }
      const int side = steps ? Rule::sizes[1 % Rule::count] : k, d = (Rule::maximum - side) / 2;
      for (int c = 0; c < side * side; ++c)
        a.dtheta[at + (c / side + d) * g.sh + c % side + d] += dw[c];
    }
  }
};

}  // namespace rnx::inline RNX_ISA
