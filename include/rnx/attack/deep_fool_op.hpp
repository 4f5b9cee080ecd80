// Operations of DeepFool (Moosavi-Dezfooli et al. 2016) on rows of dense samples. Row i of packed
// maps belongs to row packed[i] of the others, or to row i where that is null.
#pragma once

#include "rnx/attack/fab_op.hpp"

namespace rnx::inline RNX_ABI::op {

/// total += (distance + 1e-4) d(plane):  the shortest way to the nearest boundary, and a little
/// further; d: L2 g / |g|, Linf sign(g). Packed are plane and state, which fab_nearest has written.
template <class T> struct deep_fool_step {
  static constexpr bool by_row = true;
  Map<const T> plane{};
  const T* state = nullptr;  ///< (n, fab_columns)
  Map<T> total{};
  Norm norm = Norm::l2;
  const std::int32_t* packed = nullptr;
  std::size_t rows() const { return plane.n; }
  double work() const { return 4.0 * features(plane); }
  auto pointers() { return std::tie(plane.data, state, total.data, packed); }
};

/// x = clean + (1 + overshoot) total, clipped to [0, 1]; x is packed.
template <class T> struct deep_fool_image {
  static constexpr bool by_row = true;
  Map<const T> clean{};
  Map<const T> total{};
  Map<T> x{};
  double overshoot = 0.02;
  const std::int32_t* packed = nullptr;
  std::size_t rows() const { return x.n; }
  double work() const { return 2.0 * features(x); }
  auto pointers() { return std::tie(clean.data, total.data, x.data, packed); }
};

}  // namespace rnx::inline RNX_ABI::op
