// Multi-bit bases (Lin et al. 2017, "Towards accurate binary convolutional neural network"; paper
// 003, section 3.1).
//   weights      B_i = sign(W - mean(W) + u_i std(W)), u_i = -1 + 2 i / (M - 1) (u = 0 for M = 1),
//                mean and (biased) std over the layer;
//                scales alpha = argmin |W - sum_i alpha_i B_i|^2, one set for the layer; surrogate
//                dW = sum_i alpha_i dS 1[|W| <= 1] (paper 003, eq. 3). Where bases are equal (a
//                constant W), or the earlier ones span one, its alpha is 0.
//   activations  A_n = sign(x + v_n - 1/2); beta_n and v_n are trained; surrogate 1[0 <= x + v_n <=
//                1]. Shifts start spread over
//                (-1/2, 1/2): equal ones would make N identical bases. Padded positions hold +1 in
//                every base.
#pragma once

#include "rnx/quant/ste.hpp"

namespace rnx::inline RNX_ABI::quant {

/// Where the scales of multi-bit weights come from. P: one set for the layer, or for each filter;
/// mean and std are then the filter's, too.
template <Per P = Per::layer> struct LeastSquares { static constexpr Per per = P; };
/// A parameter "weight_map.alpha", whose gradient is that of the sum; mean and std as above. It
/// starts at sqrt(2 / pi) / M deviations of the weight's first values: what least squares gives
/// for one base of normal weights, shared out.
template <Per P = Per::layer> struct Learned { static constexpr Per per = P; };

namespace detail {
template <int M, class Scales> struct MultiBitParameters {};
template <int M, Per P> struct MultiBitParameters<M, Learned<P>> {
  static constexpr std::array parameters{
      MapParameter{.name = "alpha",
                   .count = M,
                   .per = P,
                   .value = 0.79788456080286536 / (M > 0 ? M : 1),
                   .of_deviation = true}};
};
}  // namespace detail

template <int M, class Scales = LeastSquares<>>
struct MultiBit : detail::MultiBitParameters<M, Scales> {
  using option = option::weight_map;
  static constexpr int bases = M, bits = M;
  static constexpr bool identity = false, scaled = true, valid = M >= 1 && M <= 8;
  static constexpr Per scales_per = Scales::per;
  static constexpr double shift(int i) {
    return M == 1 ? 0.0 : -1.0 + 2.0 * i / (M == 1 ? 1 : M - 1);
  }
};

template <int N> struct MultiBitActivation : Elementwise {
  using option = option::activation_map;
  static constexpr int bases = N, bits = N;
  static constexpr bool identity = false, scaled = true, valid = N >= 1 && N <= 8;
  static constexpr std::array parameters{
      MapParameter{.name = "beta", .count = N, .value = 1.0 / (N > 0 ? N : 1)},
      MapParameter{.name = "shift", .count = N, .init = Init::spread}};
  static constexpr double pad_value = 1;
  /// Base n.
  template <class T> RNX_SHARED static T base(T x, const T* p, int n) {
    return sign(x + p[N + n] - T(0.5));
  }
  /// Of base n in x, and in its shift.
  template <class T> RNX_SHARED static T base_slope(T x, const T* p, int n) {
    return within(x + p[N + n], T(0), T(1));
  }
};

}  // namespace rnx::inline RNX_ABI::quant
