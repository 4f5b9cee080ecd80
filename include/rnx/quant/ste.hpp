// Straight-through quantizers: sign (BinaryNet, Courbariaux et al. 2016) and round (uniform
// levels).
//   weights      Sign: sign(w);  Round<b>: round(clip(w, -1, 1) L) / L with L = 2^(b-1) - 1 (half
//                to even);  surrogate d/dw = 1[|w| <= 1]
//   activations  SignActivation: sign(x), surrogate 1[|x| <= 1];  RoundActivation<b>: round(clip(x,
//                0, 1) L) / L with L = 2^b - 1, surrogate 1[0 <= x <= 1]
#pragma once

#include "rnx/quant/maps.hpp"

namespace rnx::inline RNX_ABI::quant {

/// Maps that act on each element alone.
struct Elementwise {};

struct Sign : Elementwise {
  using option = option::weight_map;
  static constexpr int bases = 1, bits = 1;
  static constexpr bool identity = false, scaled = false, valid = true;
  template <class T> RNX_SHARED static T value(T w) { return sign(w); }
  template <class T> RNX_SHARED static bool lets_through(T w) { return w >= T(-1) && w <= T(1); }
};

template <int Bits> struct Round : Elementwise {
  using option = option::weight_map;
  static constexpr int bases = 1, bits = Bits;
  static constexpr bool identity = false, scaled = false, valid = Bits >= 2 && Bits <= 16;
  template <class T> RNX_SHARED static T value(T w) {
    const T levels = T((1 << (Bits - 1)) - 1), clipped = w < T(-1) ? T(-1) : w > T(1) ? T(1) : w;
    return std::nearbyint(clipped * levels) / levels;
  }
  template <class T> RNX_SHARED static bool lets_through(T w) { return w >= T(-1) && w <= T(1); }
};

struct SignActivation : Elementwise {
  using option = option::activation_map;
  static constexpr int bases = 1, bits = 1, parameters = 0;
  static constexpr bool identity = false, scaled = false, valid = true;
  static constexpr double pad_value = 1;  // sign(0)
  template <class T> RNX_SHARED static T value(T x) { return sign(x); }
  template <class T> RNX_SHARED static bool lets_through(T x) { return x >= T(-1) && x <= T(1); }
};

template <int Bits> struct RoundActivation : Elementwise {
  using option = option::activation_map;
  static constexpr int bases = 1, bits = Bits, parameters = 0;
  static constexpr bool identity = false, scaled = false, valid = Bits >= 1 && Bits <= 16;
  static constexpr double pad_value = 0;  // round(0)
  template <class T> RNX_SHARED static T value(T x) {
    const T levels = T((1 << Bits) - 1), clipped = x < T(0) ? T(0) : x > T(1) ? T(1) : x;
    return std::nearbyint(clipped * levels) / levels;
  }
  template <class T> RNX_SHARED static bool lets_through(T x) { return x >= T(0) && x <= T(1); }
};

}  // namespace rnx::inline RNX_ABI::quant
