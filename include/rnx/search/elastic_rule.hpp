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

#include "rnx/layers/node.hpp"
#include "rnx/layers/options.hpp"

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

/// The centre k x k of a kernel with row stride `row` and side K, flattened.
template <class T> RNX_SHARED void crop_kernel(const T* from, int K, long row, int k, T* to) {
  const int d = (K - k) / 2;
  for (int y = 0; y < k; ++y)
    for (int x = 0; x < k; ++x) to[y * k + x] = from[(y + d) * row + x + d];
}
/// y = M x, M (m, m)
template <class T> RNX_SHARED void transform_kernel(const T* matrix, int m, const T* x, T* y) {
  for (int r = 0; r < m; ++r) {
    T sum = 0;
    for (int c = 0; c < m; ++c) sum += matrix[r * m + c] * x[c];
    y[r] = sum;
  }
}

}  // namespace rnx::inline RNX_ABI::kernel_rule
