// Integers of 8 bits with a scale, for the first and the last layer of networks of few bits.
//   Int8Weights      s q with q = round(w / s), s = max |w| / 127 of the filter (half to even; 0
//                    where all are 0). Surrogate dw = dS: nothing is clipped, s is a constant
//   Int8Activation   s q with q = round(clip(x / s, -128, 127)), the step s learned (Esser et al.
//                    2020, LSQ). Surrogate dx = dS 1[-128 <= x / s <= 127]; ds = sum of dS (q - x /
//                    s) inside and of dS q outside, times their 1 / sqrt(127 h w c)
// A layer of both multiplies whole numbers: sums of at most 1032 products are exact in float,
// whatever their order, so an integer accumulator times the scales is what such a layer computes.
#pragma once

#include <cmath>

#include "rnx/quant/map_parameter.hpp"
#include "rnx/quant/ste.hpp"

namespace rnx::inline RNX_ABI::quant {

struct Int8Weights {
  using option = option::weight_map;
  static constexpr int bases = 1, bits = 8;
  static constexpr bool identity = false, scaled = true, valid = true;
  static constexpr bool whole_numbers = true;
  static constexpr Per scales_per = Per::channel;
};

/// The step starts at 1/32: images normalised by their mean and deviation lie within 128 steps. A
/// step that is not positive makes every value a NaN.
struct Int8Activation : Elementwise {
  using option = option::activation_map;
  static constexpr int bases = 1, bits = 8;
  static constexpr bool identity = false, scaled = true, valid = true;
  static constexpr bool whole_numbers = true;
  static constexpr std::array parameters{MapParameter{.name = "step", .value = 1. / 32}};
  static constexpr double pad_value = 0;
  /// Whole numbers; one base.
  template <class T> RNX_SHARED static T base(T x, const T* p, int, int) {
    const T step = p[0] > T(0) ? p[0] : T(__builtin_nan("")), v = x / step;
    return round_quotient(v < T(-128) ? T(-128) : v > T(127) ? T(127) : v);
  }
  /// Of the scaled base.
  template <class T> RNX_SHARED static T slope(T x, const T* p) {
    return within(x / p[0], T(-128), T(127));
  }
  template <class T> RNX_SHARED static T parameter_slope(T x, const T* p, int) {
    const T whole = base(x, p, 0, 1);
    return whole - slope(x, p) * (x / p[0]);
  }
  /// What the paper multiplies the gradient of the step by, for so many features of a sample.
  RNX_SHARED static double parameter_factor(double features) {
    return 1 / std::sqrt(127 * features);
  }
};

/// Whether a map's bases are integers of 8 bits.
template <class Map> constexpr bool whole_numbers = requires { requires Map::whole_numbers; };
/// Products of two such numbers of which any sum is exact in a type of so many digits.
constexpr long exact_products(int digits) { return digits < 62 ? (1L << digits) / (128 * 127) : 0; }

}  // namespace rnx::inline RNX_ABI::quant
