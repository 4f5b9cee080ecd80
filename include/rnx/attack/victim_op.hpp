// How several rows of logits become one, and which of two gradients an attack follows.
#pragma once

#include "rnx/kernels/row.hpp"

namespace rnx::inline RNX_ABI::op {

/// Of members k = 0 .. m - 1 with logits z(k) and p(k) = softmax(z(k)), y are the logits of
///   mean_logits         mean over k of z(k)
///   mean_probabilities  log of the mean over k of p(k)
///   most_confident      z(k) of the k with the largest probability of any class; the first of
///                       equal ones, the first that is not finite
enum class Combine { mean_logits, mean_probabilities, most_confident };

constexpr int max_members = 16;

/// y = the members' logits combined. Member k's logits of row n are row k y.n + n of z.
template <class T> struct combine_logits {
  static constexpr bool by_row = true;
  Map<const T> z;
  Map<T> y;
  Combine how;
  std::size_t rows() const { return y.rows(); }
  double work() const { return 32.0 * z.c * z.n / (y.n > 0 ? y.n : 1); }
  auto pointers() { return std::tie(z.data, y.data); }
};
/// dz = the transpose of combine_logits at z, applied to dy; assigned. The choice of the most
/// confident member has no gradient.
template <class T> struct combine_logits_backward {
  static constexpr bool by_row = true;
  Map<const T> z;
  Map<const T> dy;
  Map<T> dz;
  Combine how;
  std::size_t rows() const { return dy.rows(); }
  double work() const { return 64.0 * z.c * z.n / (dy.n > 0 ? dy.n : 1); }
  auto pointers() { return std::tie(z.data, dy.data, dz.data); }
};
/// Where other_value(n) > value(n), or is NaN: value(n) = other_value(n), sample n of kept = that
/// of other. Maps are dense; other.data null: values alone.
template <class T> struct keep_larger {
  static constexpr bool by_row = true;
  const T* other_value;
  T* value;
  Map<const T> other;
  Map<T> kept;
  std::size_t rows() const { return std::size_t(kept.n); }
  double work() const { return double(kept.sample()); }
  auto pointers() { return std::tie(other_value, value, other.data, kept.data); }
};

}  // namespace rnx::inline RNX_ABI::op
