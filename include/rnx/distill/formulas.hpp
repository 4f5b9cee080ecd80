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

/// What row r of all layers says of the tutors, before the scale.
template <class T> RNX_SHARED double tutor_sum(const tutor_value<T>& a, std::size_t r) {
  double sum = 0;
  for (int i = 0; i < a.layers; ++i) {
    const T* g = a.g + std::size_t(i) * a.tutors;
    const T* d = a.d + (std::size_t(i) * a.rows + r) * a.tutors;
    if (a.joint)
      sum += joint_distance(g, d, a.tutors);
    else
      for (int j = 0; j < a.tutors; ++j) sum += double(g[j]) * d[j];
  }
  return sum;
}

/// Gram matrices (n, n) of s and t; of the first the gradient, or null.
struct Grams {
  std::size_t n;
  double* s;
  double* t;
  double* ds;
};
/// q = q / max(|q|, 1e-12), in place; returns |q|.
RNX_SHARED double normalise(double* q, std::size_t n) {
  double sum = 0;
  for (std::size_t j = 0; j < n; ++j) sum += q[j] * q[j];
  const double norm = std::sqrt(sum), factor = norm < 1e-12 ? 1e-12 : norm;
  for (std::size_t j = 0; j < n; ++j) q[j] /= factor;
  return norm;
}
/// Row i of both matrices, normalised in place: the mean of their squared differences; value and
/// g.ds may be null.
template <class T>
RNX_SHARED void compare_similarity_row(const Grams& g, std::size_t i, double weight, T* value) {
  const std::size_t n = g.n;
  double* s = g.s + i * n;
  double* t = g.t + i * n;
  const double norm = normalise(s, n);
  normalise(t, n);
  double sum = 0, along = 0;
  for (std::size_t j = 0; j < n; ++j) {
    const double e = s[j] - t[j];
    sum += e * e;
    along += norm >= 1e-12 ? e * s[j] : 0;  // below, the factor is a constant
  }
  if (value) value[i] = T(sum / double(n));
  if (!g.ds) return;
  const double factor = 2 * weight / double(n) / (norm < 1e-12 ? 1e-12 : norm);
  for (std::size_t j = 0; j < n; ++j) g.ds[i * n + j] = factor * (s[j] - t[j] - s[j] * along);
}

/// Huber's function of e, and its derivative.
RNX_SHARED double huber(double e) { return std::fabs(e) <= 1 ? e * e / 2 : std::fabs(e) - 0.5; }
RNX_SHARED double huber_slope(double e) { return e > 1 ? 1 : e < -1 ? -1 : e; }

}  // namespace rnx::inline RNX_ABI::op
