// Surrogates of the sign's gradient: slope(x) stands in the place of d sign(x) / dx. All are 0 for
// a NaN but Identity, which asks for nothing.
#pragma once

#include <cmath>

#include "rnx/quant/maps.hpp"

namespace rnx::inline RNX_ABI::quant {

/// 1[least <= x <= most]; 0 for a NaN. A product: loops over it become vectors.
template <class T> RNX_SHARED T within(T x, T least, T most) {
  const T above = x >= least ? T(1) : T(0), below = x <= most ? T(1) : T(0);
  return above * below;
}

namespace surrogate {

/// 1 (Bengio et al. 2013).
struct Identity {
  template <class T> RNX_SHARED static T slope(T) { return T(1); }
};
/// 1[abs(x) <= 1], the slope of hard tanh (Courbariaux et al. 2016).
struct HardTanh {
  template <class T> RNX_SHARED static T slope(T x) { return within(x, T(-1), T(1)); }
};
/// 2 - 2 abs(x) where abs(x) < 1, else 0: the slope of the piecewise polynomial ApproxSign (Liu et
/// al. 2018, Bi-Real net, eq. 7).
struct ApproxSign {
  template <class T> RNX_SHARED static T slope(T x) {
    const T s = T(2) - T(2) * std::abs(x);
    return s > T(0) ? s : T(0);
  }
};

}  // namespace surrogate
}  // namespace rnx::inline RNX_ABI::quant
