// Weight maps whose scale is a mean of the weights.
//   DoReFaWeights<k>   (Zhou et al. 2016) k > 1: t = tanh w, m = max |t|, L = 2^k - 1,
//                      2 round((t / (2 m) + 1/2) L) / L - 1; the gradient goes through all of it
//                      but the rounding (through the maximum, too: ties share it). An all-zero w
//                      counts as t / (2 m) = 0 and takes no gradient. k = 1: mean |w| sign(w), the
//                      mean the layer's; surrogate dw = dS
//   XnorWeights        (Rastegari et al. 2016) c = w - mean of w over the input channels, W =
//                      clip(c, -1, 1), alpha = mean |W| of the filter: alpha sign(W). Surrogate
//                      dw = (1 - 1 / i) (alpha dS 1[|c| <= 1] + sign(W) mean(sign(W) dS)), i the
//                      input channels of a group; the published code, which centres and clips the
//                      stored weight after each step, also multiplies by the filter's weights,
//                      what a rate can do. With one input channel nothing is centred, and the
//                      factor is 1
//   BiRealWeights      (Liu et al. 2018) mean |w| sign(w), the mean the filter's and taken as a
//                      constant; surrogate dw = dS 1[|w| <= 1]
//   TernaryWeights<P>  (Li & Liu 2016) alpha t, t = sign(w) where |w| > 0.7 mean |w|, else 0,
//                      alpha = mean |w| of those (0 where there are none), of the layer or of each
//                      filter; surrogate dw = dS
#pragma once

#include <cmath>

#include "rnx/quant/maps.hpp"

namespace rnx::inline RNX_ABI::quant {

/// Bits: 1 to 16, or at_run_time, then from 2: a single bit has a scale.
template <int Bits> struct DoReFaWeights : detail::NumberOfBits<Bits, Bits == at_run_time ? 2 : 1> {
  using option = option::weight_map;
  static constexpr bool identity = false, scaled = Bits == 1;
  static constexpr Per scales_per = Per::layer;
  /// Of several bits; m: the largest |tanh w|, levels: L.
  template <class T> RNX_SHARED static T level(T w, T m, T levels) {
    const T share = m == T(0) ? T(0) : std::tanh(w) / (2 * m);
    return 2 * std::nearbyint((share + T(0.5)) * levels) / levels - 1;
  }
};

struct XnorWeights {
  using option = option::weight_map;
  static constexpr int bases = 1, bits = 1;
  static constexpr bool identity = false, scaled = true, valid = true;
  static constexpr Per scales_per = Per::channel;
};

struct BiRealWeights {
  using option = option::weight_map;
  static constexpr int bases = 1, bits = 1;
  static constexpr bool identity = false, scaled = true, valid = true;
  static constexpr Per scales_per = Per::channel;
};

template <Per P = Per::layer> struct TernaryWeights {
  using option = option::weight_map;
  static constexpr int bases = 1, bits = 2;
  static constexpr bool identity = false, scaled = true, valid = true;
  static constexpr Per scales_per = P;
};

}  // namespace rnx::inline RNX_ABI::quant
