// Losses on rows: n samples of c values, per-sample values and gradients of a weighted sum.
// Every gradient is multiplied by `weight` (1/n for a mean, 1 for a sum) and assigned, or added
// where `add` is set. Row n is compared with target n (label, teacher, t), or with target
// samples[n] where the rows are chosen from a batch.
#pragma once

#include <cmath>

#include "rnx/kernels/kernel.hpp"

namespace rnx::inline RNX_ABI::op {

/// value = -sum over k of q(k) log p(k), q = (1 - smoothing) onehot(label) + smoothing / c;  dz =
/// weight (p - q)
template <class T> struct cross_entropy {
  Map<const T> logits;
  Map<T> dz;
  const std::int32_t* labels;
  T* value;
  double smoothing;
  double temperature = 1;  ///< of the softmax: z / temperature
  double weight;
  bool add;
  const std::int32_t* samples = nullptr;
  auto pointers() { return std::tie(logits.data, dz.data, labels, value, samples); }
};
/// A term of a divergence that stays finite, p log(floor + p / (q + floor)), and its derivative
/// with respect to q.
RNX_SHARED double floored_term(double p, double q, double floor) {
  return p * std::log(floor + p / (q + floor));
}
RNX_SHARED double floored_slope(double p, double q, double floor) {
  const double ratio = p / (q + floor);
  return -p * ratio / ((q + floor) * (floor + ratio));
}
/// forward KL(t || s) (Hinton et al. 2015) or reverse KL(s || t), both softened by T and multiplied
/// by T^2; t: logits of the teacher
///   dz = weight T (p_s - p_t)   or   weight T p_s (log p_s - log p_t - KL)
/// floor > 0, forward alone: sum of p_t log(floor + p_t / (p_s + floor)) in place of KL
template <class T> struct kl_divergence {
  Map<const T> logits;
  Map<const T> teacher;
  Map<T> dz;
  T* value;
  double temperature;
  double floor = 0;
  double weight;
  bool reverse;
  bool add;
  const std::int32_t* samples = nullptr;
  auto pointers() { return std::tie(logits.data, teacher.data, dz.data, value, samples); }
};
/// mean of (s - t)^2 over c; -cos(s, t) with |s||t| >= 1e-6; |s - t|; |s - t| / |t|
enum class Distance { mean_square, cosine, l2, relative_l2 };
/// Distances between rows s and t.
template <class T> struct row_distance {
  Map<const T> s;
  Map<const T> t;
  Map<T> ds;
  T* value;
  Distance kind;
  double weight;
  bool add;
  const std::int32_t* samples = nullptr;
  auto pointers() { return std::tie(s.data, t.data, ds.data, value, samples); }
};

}  // namespace rnx::inline RNX_ABI::op
