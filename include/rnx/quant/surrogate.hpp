// Surrogates of the sign's gradient: slope(x) stands in the place of d sign(x) / dx. All are 0 for
// a NaN but Identity, which asks for nothing.
#pragma once

#include "rnx/quant/maps.hpp"

namespace rnx::inline RNX_ABI::quant::surrogate {

/// 1 (Bengio et al. 2013).
struct Identity {
  template <class T> RNX_SHARED static T slope(T) { return T(1); }
};
/// 1[abs(x) <= 1], the slope of hard tanh (Courbariaux et al. 2016).
struct HardTanh {
  template <class T> RNX_SHARED static T slope(T x) {
    return x >= T(-1) && x <= T(1) ? T(1) : T(0);
  }
};
/// 2 - 2 abs(x) where abs(x) < 1, else 0: the slope of the piecewise polynomial ApproxSign (Liu et
/// al. 2018, Bi-Real net, eq. 7).
struct ApproxSign {
  template <class T> RNX_SHARED static T slope(T x) {
    return x >= T(-1) && x < T(0)  ? T(2) + T(2) * x
           : x >= T(0) && x < T(1) ? T(2) - T(2) * x
                                   : T(0);
  }
};

}  // namespace rnx::inline RNX_ABI::quant::surrogate
