// Elastic kernel sizes with learned transforms (Cai et al. 2020, "Once-for-all", section 3.3):
// smaller kernels derived from one stored.
//
//   w(K0) = theta                                  theta (o, i, K0, K0)
//   w(Kj) = Mj crop(w(Kj-1))                       crop: the centre Kj x Kj, flattened row by row;
//   Mj (Kj^2, Kj^2), one for all channels
// The active size is the subnet's choice "kernel"; padding follows it (k / 2), so the output keeps
// its size.
#pragma once

#include <array>

#include "rnx/layers.hpp"

namespace rnx::inline RNX_ABI::kernel_rule {

/// Sizes, the largest first, all odd. Parameters beside the weight: transform_7to5 (25, 25),
/// transform_5to3 (9, 9), identity at first.
template <int... Ks> struct Elastic {
  using option = option::kernel;
  static constexpr int slot_count = 1, count = sizeof...(Ks);
  static constexpr std::array<int, count> sizes{Ks...};
  static constexpr bool valid() {
    for (int i = 0; i < count; ++i)
      if (sizes[i] < 1 || sizes[i] % 2 == 0 || (i && sizes[i] >= sizes[i - 1])) return false;
    return count > 0;
  }
  static_assert(valid(), "rnx: an elastic kernel takes odd sizes, the largest first");
  static constexpr int maximum = sizes[0];

  /// Elements of all transforms.
  static constexpr int extra(int) {
    int n = 0;
    for (int i = 1; i < count; ++i) n += sizes[i] * sizes[i] * sizes[i] * sizes[i];
    return n;
  }
  /// The size that a choice asks for: itself, or the maximum where it is larger. Throws UsageError
  /// when it is none of the sizes.
  static int active(int choice) {
    if (choice >= maximum) return maximum;
    for (int k : sizes)
      if (k == choice) return k;
    std::string list;
    for (int k : sizes) list += (list.empty() ? "" : ", ") + std::to_string(k);
    throw UsageError("elastic kernel: expected one of " + list + ", found " +
                     std::to_string(choice));
  }
  /// Throws UsageError when the convolution is not of the largest size with padding K / 2.
  static void describe(Node& node) {
    require<UsageError>(
        node.kernel_h == maximum && node.kernel_w == maximum && node.pad == maximum / 2, [&] {
          return "elastic kernel: the convolution must be " + std::to_string(maximum) + " x " +
                 std::to_string(maximum) + ", padded by half";
        });
    for (int i = 1; i < count; ++i) {
      const int square = sizes[i] * sizes[i];
      node.parameters.push_back(
          {"transform_" + std::to_string(sizes[i - 1]) + "to" + std::to_string(sizes[i]),
           {square, square},
           ParameterKind::transform,
           Init::identity_matrix});
    }
  }
};

}  // namespace rnx::inline RNX_ABI::kernel_rule

namespace rnx::inline RNX_ISA::search {

/// Kernel rule of Conv and Depthwise: Depthwise<7, ElasticKernel<7, 5, 3>>.
template <int... Ks> using ElasticKernel = kernel_rule::Elastic<Ks...>;

/// The centre k x k of a kernel with row stride `row` and side K, flattened.
template <class T> void crop_kernel(const T* from, int K, long row, int k, T* to) {
  const int d = (K - k) / 2;
  for (int y = 0; y < k; ++y)
    for (int x = 0; x < k; ++x) to[y * k + x] = from[(y + d) * row + x + d];
}
/// y = M x, M (m, m)
template <class T> void transform_kernel(const T* matrix, int m, const T* x, T* y) {
  for (int r = 0; r < m; ++r) {
    T sum = 0;
    for (int c = 0; c < m; ++c) sum += matrix[r * m + c] * x[c];
    y[r] = sum;
  }
}

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
          search::crop_kernel(theta, Rule::maximum, g.sh,
                              Rule::maximum == k ? k : Rule::sizes[Rule::count > 1], u);
          const T* matrix = a.extra;
          if (k == Rule::maximum) std::copy(u, u + k * k, w);
          for (int i = 1; i < Rule::count && Rule::sizes[i] >= k; ++i) {
            const int m = Rule::sizes[i] * Rule::sizes[i];
            if (i > 1)
              search::crop_kernel(w, Rule::sizes[i - 1], Rule::sizes[i - 1], Rule::sizes[i], u);
            search::transform_kernel(matrix, m, u, w);
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
          search::crop_kernel(a.theta + at, Rule::maximum, g.sh, Rule::sizes[1 % Rule::count],
                              u[i]);
        else
          search::crop_kernel(w, Rule::sizes[i - 1], Rule::sizes[i - 1], Rule::sizes[i], u[i]);
        search::transform_kernel(matrix[i], Rule::sizes[i] * Rule::sizes[i], u[i], w);
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
