// Multi-bit bases (Lin et al. 2017, "Towards accurate binary convolutional neural network"; paper
// 003, section 3.1).
//   weights      B_i = sign(W - mean(W) + u_i std(W)), u_i = -1 + 2 i / (M - 1) (u = 0 for M = 1),
//                mean and (biased) std over the layer;
//                scales alpha = argmin |W - sum_i alpha_i B_i|^2, one set for the layer; surrogate
//                dW = sum_i alpha_i dS 1[|W| <= 1] (paper 003, eq. 3)
//   activations  A_n = sign(x + v_n - 1/2); beta_n and v_n are trained; surrogate 1[0 <= x + v_n <=
//                1]. Shifts start spread over
//                (-1/2, 1/2): equal ones would make N identical bases. Padded positions hold +1 in
//                every base.
#pragma once

#include "rnx/quant/maps.hpp"

namespace rnx::inline RNX_ABI::quant {

template <int M> struct MultiBit {
  using option = option::weight_map;
  static constexpr int bases = M, bits = M;
  static constexpr bool identity = false, scaled = true, valid = M >= 1 && M <= 8;
  static constexpr double shift(int i) {
    return M == 1 ? 0.0 : -1.0 + 2.0 * i / (M == 1 ? 1 : M - 1);
  }
};

template <int N> struct MultiBitActivation {
  using option = option::activation_map;
  static constexpr int bases = N, bits = N, parameters = 2 * N;  // betas, shifts
  static constexpr bool identity = false, scaled = true, valid = N >= 1 && N <= 8;
  static constexpr double pad_value = 1;
  static constexpr double initial_beta() { return 1.0 / N; }
};

}  // namespace rnx::inline RNX_ABI::quant
