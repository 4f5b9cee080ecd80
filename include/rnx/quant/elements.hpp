// The functions of an activation map at one element, which every device shares.
#pragma once

#include "rnx/quant/int8.hpp"
#include "rnx/quant/multi_bit.hpp"

namespace rnx::inline RNX_ISA::quant_detail {

template <class A> constexpr bool has_bases = requires(float x, const float* p) {
  A::base(x, p, 0, 1);
};
/// Maps that say slopes in x and in their parameters themselves.
template <class A> constexpr bool has_slope = requires(float x, const float* p) {
  A::slope(x, p);
  A::parameter_slope(x, p, 0);
};
/// Maps that the library's kernels know; others have kernels of their own.
template <class A>
constexpr bool known = std::is_base_of_v<quant::Elementwise, A> && (!A::scaled || has_bases<A>);

/// With the map's parameters (of the layer) at hand. Bases, Bits: constants where the type knows
/// the number; int in device code, which cannot call what constants convert by.
template <class A, class T, class Bases = quant::bases_t<A>, class Bits = quant::bits_t<A>>
struct ElementFunctions {
  static constexpr int most = int(quant::parameter_count<A>(0));
  Bases bases;
  Bits bits;
  int count;  ///< of its parameters
  T p[most > 0 ? most : 1] = {};

  RNX_HD ElementFunctions(const T* parameters, Bases of_bases, Bits of_bits, int of_parameters)
      : bases(of_bases),
        bits(of_bits),
        count(of_parameters) {
    if constexpr (most > 0)
      for (int k = 0; k < count; ++k) p[k] = parameters[k];
  }
  RNX_HD T base(T x, int n) const {
    if constexpr (has_bases<A>)
      return A::base(x, p, n, bases);
    else if constexpr (most > 0)
      return value(x, p);
    else
      return value(x);
  }
  RNX_HD T sum(T x) const {
    T total = 0;
    for (int n = 0; n < bases; ++n) total += A::scaled ? p[n] * base(x, n) : base(x, n);
    return total;
  }
  RNX_HD T padded_sum() const {
    T total = 0;
    for (int n = 0; n < bases; ++n) total += A::scaled ? p[n] * T(A::pad_value) : T(A::pad_value);
    return total;
  }
  /// Of the sum.
  RNX_HD T slope(T x) const {
    if constexpr (has_slope<A>) {
      return A::slope(x, p);
    } else if constexpr (has_bases<A>) {
      T total = 0;
      for (int n = 0; n < bases; ++n) total += p[n] * A::base_slope(x, p, n, bases);
      return total;
    } else {
      return A::slope(x);
    }
  }
  /// What stands in the place of the derivative of the sum in parameter j, up to factor(j).
  RNX_SHARED T parameter_slope(T x, int j) const {
    if constexpr (has_slope<A>)
      return A::parameter_slope(x, p, j);
    else if constexpr (has_bases<A>)
      return j < bases ? A::base(x, p, j, bases) : A::base_slope(x, p, j - bases, bases);
    else
      return T(0);
  }
  /// The same at a padded position, where bases are constant.
  RNX_HD T padded_slope(int j) const { return A::scaled && j < bases ? T(A::pad_value) : T(0); }
  /// What stands before the sums: of shifts their beta. features: of a sample.
  RNX_HD T factor(int j, [[maybe_unused]] double features) const {
    if constexpr (requires { A::parameter_factor(features); })
      return T(A::parameter_factor(features));
    else
      return has_bases<A> && j >= bases ? p[j - bases] : T(1);
  }

 private:
  template <class... P> RNX_HD T value(T x, P... parameters) const {
    if constexpr (quant::told<A> == quant::Told::bits)
      return A::value(x, parameters..., bits);
    else
      return A::value(x, parameters...);
  }
};

}  // namespace rnx::inline RNX_ISA::quant_detail
