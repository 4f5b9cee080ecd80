// Straight-through quantizers: sign and round (uniform levels).
//   weights      BinaryWeights<S>: sign(w);  Round<b>: round(clip(w, -1, 1) L) / L with
//                L = 2^(b-1) - 1 (half to even), surrogate 1[|w| <= 1]
//   activations  BinaryActivation<S>: sign(x);  RoundActivation<b>: round(clip(x, 0, 1) L) / L with
//                L = 2^b - 1, surrogate 1[0 <= x <= 1] (activations of DoReFa, Zhou et al. 2016);
//                PactActivation<b>: round(clip(x, 0, c) L / c) c / L, the clip c learned (Choi et
//                al. 2018), dx = 1[0 <= x < c], dc = 1[x >= c]
#pragma once

#include <cmath>
#include <limits>

#include "rnx/quant/surrogate.hpp"

namespace rnx::inline RNX_ABI::quant {

/// Maps that act on each element alone. With p, the map's parameters, each of the layer:
///   value(x)  value(x, p)            the base
///   slope(x)  slope(x, p)            what stands in the place of its derivative
///             parameter_slope(x, p, j)   in the place of its derivative in p[j]
/// A map that is told its bits takes them last: value(x, bits), value(x, p, bits).
/// For each of several bases and with betas: MultiBitActivation.
struct Elementwise {};

/// sign(w). S: the surrogate.
template <class S> struct BinaryWeights : Elementwise {
  using option = option::weight_map;
  static constexpr int bases = 1, bits = 1;
  static constexpr bool identity = false, scaled = false, valid = true;
  template <class T> RNX_SHARED static T value(T w) { return sign(w); }
  template <class T> RNX_SHARED static T slope(T w) { return S::slope(w); }
};
using Sign = BinaryWeights<surrogate::HardTanh>;

template <int Bits> struct Round : Elementwise {
  using option = option::weight_map;
  static constexpr int bases = 1, bits = Bits;
  static constexpr bool identity = false, scaled = false, valid = Bits >= 2 && Bits <= 16;
  template <class T> RNX_SHARED static T value(T w) {
    const T levels = T((1 << (Bits - 1)) - 1), clipped = w < T(-1) ? T(-1) : w > T(1) ? T(1) : w;
    return std::nearbyint(clipped * levels) / levels;
  }
  template <class T> RNX_SHARED static T slope(T w) { return surrogate::HardTanh::slope(w); }
};

/// sign(x). S: the surrogate.
template <class S> struct BinaryActivation : Elementwise {
  using option = option::activation_map;
  static constexpr int bases = 1, bits = 1;
  static constexpr bool identity = false, scaled = false, valid = true;
  static constexpr double pad_value = 1;  // sign(0)
  template <class T> RNX_SHARED static T value(T x) { return sign(x); }
  template <class T> RNX_SHARED static T slope(T x) { return S::slope(x); }
};
using SignActivation = BinaryActivation<surrogate::HardTanh>;

/// Bits: 1 to 16, or at_run_time.
template <int Bits> struct RoundActivation : Elementwise, detail::NumberOfBits<Bits> {
  using option = option::activation_map;
  static constexpr bool identity = false, scaled = false;
  static constexpr double pad_value = 0;  // round(0)
  template <class T> RNX_SHARED static T value(T x, int bits) {
    const T levels = T((1 << bits) - 1), clipped = x < T(0) ? T(0) : x > T(1) ? T(1) : x;
    return std::nearbyint(clipped * levels) / levels;
  }
  template <class T> RNX_SHARED static T value(T x) {
    static_assert(Bits != at_run_time,
                  "rnx: a map that is told its bits takes them: value(x, bits)");
    return value(x, Bits);
  }
  template <class T> RNX_SHARED static T slope(T x) { return within(x, T(0), T(1)); }
};

/// v rounded to whole numbers, half to even, where abs(v) < 2^22 (float): as std::nearbyint in the
/// rounding mode that programs have, and open to vectors. v must be a quotient: the sum of a
/// product could be contracted.
template <class T> RNX_SHARED T round_quotient(T v) {
  constexpr T whole = T(3) * T(1ull << (std::numeric_limits<T>::digits - 2));
  return (v + whole) - whole;
}

/// Bits: 1 to 16, or at_run_time. Clip: where c starts. c decays with the weights, as the paper's
/// L2 penalty has it (another decay: an optim::Group of "*.activation.clip"). A clip that is not
/// positive makes every base a NaN: a network that is broken is seen.
template <int Bits, int Clip = 8> struct PactActivation : Elementwise, detail::NumberOfBits<Bits> {
  using option = option::activation_map;
  static constexpr bool identity = false, scaled = false,
                        valid = detail::NumberOfBits<Bits>::valid && Clip >= 1;
  static constexpr std::array parameters{MapParameter{.name = "clip", .value = Clip}};
  static constexpr double pad_value = 0;
  template <class T> RNX_SHARED static T value(T x, const T* p, int bits) {
    const T levels = T((1 << bits) - 1), clip = p[0];
    const T above = x < T(0) ? T(0) : x, clipped = above >= clip ? clip : above;
    const T step = clip > T(0) ? clip / levels : T(__builtin_nan(""));
    return round_quotient(clipped * levels / clip) * step;
  }
  template <class T> RNX_SHARED static T value(T x, const T* p) {
    static_assert(Bits != at_run_time,
                  "rnx: a map that is told its bits takes them: value(x, p, bits)");
    return value(x, p, Bits);
  }
  template <class T> RNX_SHARED static T slope(T x, const T* p) {
    return (x >= T(0) ? T(1) : T(0)) * (x < p[0] ? T(1) : T(0));
  }
  template <class T> RNX_SHARED static T parameter_slope(T x, const T* p, int) {
    return x >= p[0] ? T(1) : T(0);
  }
};

}  // namespace rnx::inline RNX_ABI::quant
