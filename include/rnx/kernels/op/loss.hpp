// Losses on rows: n samples of c values, per-sample values and gradients of a weighted sum.
// Every gradient is multiplied by `weight` (1/n for a mean, 1 for a sum) and assigned, or added
// where `add` is set.
#pragma once

#include "rnx/kernels/kernel.hpp"

namespace rnx::inline RNX_ABI::op {

/// value = -sum over k of q(k) log p(k), q = (1 - smoothing) onehot(label) + smoothing / c;  dz =
/// weight (p - q)
template <class T> struct cross_entropy {
  geometry::Map z;
  double smoothing, weight;
  bool add;
  const T* logits;
  const std::int32_t* labels;
  T* value;
  T* dz;
  auto pointers() { return std::tie(logits, labels, value, dz); }
};
/// forward KL(t || s) (Hinton et al. 2015) or reverse KL(s || t), both softened by T and multiplied
/// by T^2; t: logits of the teacher
///   dz = weight T (p_s - p_t)   or   weight T p_s (log p_s - log p_t - KL)
template <class T> struct kl_divergence {
  geometry::Map z, tz;
  double temperature, weight;
  bool reverse, add;
  const T* logits;
  const T* teacher;
  T* value;
  T* dz;
  auto pointers() { return std::tie(logits, teacher, value, dz); }
};
/// Distances between rows s and t; kind 0: mean of squares over c; 1: -cos(s, t) with |s||t| >=
/// 1e-6; 2: |s - t|; 3: |s - t| / |t|
template <class T> struct row_distance {
  geometry::Map s, t, dsg;
  int kind;
  double weight;
  bool add;
  const T* ps;
  const T* pt;
  T* value;
  T* ds;
  auto pointers() { return std::tie(ps, pt, value, ds); }
};

}  // namespace rnx::inline RNX_ABI::op
