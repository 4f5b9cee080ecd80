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
template <Per P> struct LearnedAlpha {
  static constexpr std::array<MapParameter, 1> parameters_of(int bases) {
    return {MapParameter{.name = "alpha",
                         .count = bases,
                         .per = P,
                         .value = 0.79788456080286536 / (bases > 0 ? bases : 1),
                         .of_deviation = true}};
  }
};
struct BetasAndShifts {
  static constexpr std::array<MapParameter, 2> parameters_of(int bases) {
    return {MapParameter{.name = "beta", .count = bases, .value = 1.0 / (bases > 0 ? bases : 1)},
            MapParameter{.name = "shift", .count = bases, .init = Init::spread}};
  }
};

template <int M, class Scales> struct MultiBitParameters : Bases<M> {};
template <int M, Per P> struct MultiBitParameters<M, Learned<P>> : Bases<M>, LearnedAlpha<P> {
  static constexpr std::array parameters = LearnedAlpha<P>::parameters_of(Bases<M>::bases);
};
}  // namespace detail

/// M: 1 to 8, or at_run_time.
template <int M, class Scales = LeastSquares<>>
struct MultiBit : detail::MultiBitParameters<M, Scales> {
  using option = option::weight_map;
  static constexpr bool identity = false, scaled = true;
  static constexpr Per scales_per = Scales::per;
  /// Of base i among so many.
  RNX_SHARED static constexpr double shift(int i, int bases) {
    return bases == 1 ? 0.0 : -1.0 + 2.0 * i / (bases == 1 ? 1 : bases - 1);
  }
};

/// N: 1 to 8, or at_run_time.
template <int N> struct MultiBitActivation : Elementwise, detail::Bases<N>, detail::BetasAndShifts {
  using option = option::activation_map;
  static constexpr bool identity = false, scaled = true;
  static constexpr std::array parameters =
      detail::BetasAndShifts::parameters_of(detail::Bases<N>::bases);
  static constexpr double pad_value = 1;
  /// Base n of so many.
  template <class T> RNX_SHARED static T base(T x, const T* p, int n, int bases) {
    return sign(x + p[bases + n] - T(0.5));
  }
  /// Of base n in x, and in its shift.
  template <class T> RNX_SHARED static T base_slope(T x, const T* p, int n, int bases) {
    return within(x + p[bases + n], T(0), T(1));
  }
};

}  // namespace rnx::inline RNX_ABI::quant
