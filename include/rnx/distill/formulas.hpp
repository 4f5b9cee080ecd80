// Formulas of room distill that every device shares.
#pragma once

#include <cmath>

#include "rnx/distill/op.hpp"

namespace rnx::inline RNX_ABI::op {

/// The source pixels of one target pixel along one axis: [first, first + count) with weights
/// `head`, then `rest` for each other.
struct Sources {
  int first = 0, count = 1;
  double head = 1, rest = 0;
  RNX_SHARED double operator[](int k) const { return k ? rest : head; }
};
RNX_SHARED Sources sources(Resize method, int o, int in, int out) {
  if (method == Resize::average) {
    const int first = int(long(o) * in / out), last = int(((long(o) + 1) * in + out - 1) / out);
    return {first, last - first, 1.0 / (last - first), 1.0 / (last - first)};
  }
  const double unbounded = (o + 0.5) * (double(in) / out) - 0.5, at = unbounded < 0 ? 0 : unbounded;
  const int first = int(at) < in - 1 ? int(at) : in - 1;
  if (first == in - 1) return {first, 1, 1, 0};
  return {first, 2, 1 - (at - first), at - first};
}

/// L(i, r) of a joint distance: sqrt(sum over j of (g d)^2).
template <class T> RNX_SHARED double joint_distance(const T* g, const T* d, int tutors) {
  double sum = 0;
  for (int j = 0; j < tutors; ++j) sum += double(g[j]) * g[j] * d[j] * d[j];
  return std::sqrt(sum);
}

/// Huber's function of e, and its derivative.
RNX_SHARED double huber(double e) { return std::fabs(e) <= 1 ? e * e / 2 : std::fabs(e) - 0.5; }
RNX_SHARED double huber_slope(double e) { return e > 1 ? 1 : e < -1 ? -1 : e; }

}  // namespace rnx::inline RNX_ABI::op
