// Losses on rows of logits or features: one thread takes one row, in double with log p = z - max -
// log sum exp(z - max). A row that has no value (a label outside [0, c), logits that are not
// finite) gives NaN; the host checks values.
#pragma once

#include <cmath>

#include "rnx/kernels/cuda/row.cuh"
#include "rnx/loss/cuda.hpp"
#include "rnx/loss/margin_row.hpp"

namespace rnx::inline RNX_ABI::gpu {

/// log sum over k of exp(z(k) / temperature); NaN unless every logit is finite.
template <class T> RNX_HD double log_sum_exp(const T* z, int c, double temperature) {
  double top = z[0], sum = 0;
  bool finite = true;
  for (int k = 0; k < c; ++k) {
    top = larger(top, double(z[k]));
    finite = finite && z[k] - z[k] == 0;
  }
  if (!finite) return __builtin_nan("");
  for (int k = 0; k < c; ++k) sum += std::exp((z[k] - top) / temperature);
  return top / temperature + std::log(sum);
}

template <class T> RNX_SHARED void put(T& to, double value, bool add) {
  to = add ? to + T(value) : T(value);
}

template <class T> struct element<op::cross_entropy<T>> {
  op::cross_entropy<T> a;
  std::size_t count() const { return a.logits.rows(); }
  RNX_HD void operator()(std::size_t row) const {
    const int c = a.logits.c;
    const double t = a.temperature;
    const T* z = a.logits.data + row * a.logits.stride;
    const std::int32_t label = a.labels[geometry::sample_of(a.samples, row)];
    const bool valid = label >= 0 && label < c;
    const double log_sum = valid ? log_sum_exp(z, c, t) : __builtin_nan(""), off = a.smoothing / c;
    if (a.value) {
      double sum = valid ? (1 - a.smoothing) * (log_sum - z[label] / t) : log_sum;
      if (off != 0)
        for (int k = 0; k < c; ++k) sum += off * (log_sum - z[k] / t);
      a.value[row] = T(sum);
    }
    if (!a.dz.data) return;
    T* dz = a.dz.data + row * a.dz.stride;
    for (int k = 0; k < c; ++k)
      put(dz[k],
          a.weight / t * (std::exp(z[k] / t - log_sum) - off - (k == label ? 1 - a.smoothing : 0)),
          a.add);
  }
};

template <class T> struct element<op::kl_divergence<T>> {
  op::kl_divergence<T> a;
  std::size_t count() const { return a.logits.rows(); }
  RNX_HD void operator()(std::size_t row) const {
    const int c = a.logits.c;
    const double t = a.temperature;
    const T* s = a.logits.data + row * a.logits.stride;
    const T* teacher = a.teacher.data + geometry::sample_of(a.samples, row) * a.teacher.stride;
    const double sum_s = log_sum_exp(s, c, t), sum_t = log_sum_exp(teacher, c, t);
    double kl = 0, along = 0;  // along: of the floored divergence, sum of p_s slope
    if (a.value || a.reverse || a.floor > 0)
      for (int k = 0; k < c; ++k) {
        const double log_s = s[k] / t - sum_s, log_t = teacher[k] / t - sum_t;
        if (a.floor > 0) {
          const double p_s = std::exp(log_s), p_t = std::exp(log_t);
          kl += op::floored_term(p_t, p_s, a.floor);
          along += p_s * op::floored_slope(p_t, p_s, a.floor);
        } else {
          kl += a.reverse ? std::exp(log_s) * (log_s - log_t) : std::exp(log_t) * (log_t - log_s);
        }
      }
    if (a.value) a.value[row] = T(t * t * kl);
    if (!a.dz.data) return;
    T* dz = a.dz.data + row * a.dz.stride;
    for (int k = 0; k < c; ++k) {
      const double log_s = s[k] / t - sum_s, log_t = teacher[k] / t - sum_t, p = std::exp(log_s);
      const double slope = a.floor > 0
                               ? p * (op::floored_slope(std::exp(log_t), p, a.floor) - along)
                           : a.reverse ? p * (log_s - log_t - kl)
                                       : p - std::exp(log_t);
      put(dz[k], a.weight * t * slope, a.add);
    }
  }
};

template <class T> struct element<op::row_distance<T>> {
  op::row_distance<T> a;
  std::size_t count() const { return a.s.rows(); }
  RNX_HD void operator()(std::size_t row) const {
    const int c = a.s.c;
    const T* s = a.s.data + row * a.s.stride;
    const T* t = a.t.data + geometry::sample_of(a.samples, row) * a.t.stride;
    double dd = 0, ss = 0, tt = 0, st = 0;
    for (int k = 0; k < c; ++k) {
      const double u = s[k], v = t[k], d = u - v;
      dd += d * d;
      ss += u * u;
      tt += v * v;
      st += u * v;
    }
    const double distance = std::sqrt(dd), length = std::sqrt(tt),
                 norms = larger(std::sqrt(ss) * length, 1e-6), cosine = st / norms;
    if (a.value)
      a.value[row] = T(a.kind == op::Distance::mean_square ? dd / c
                       : a.kind == op::Distance::cosine    ? -cosine
                       : a.kind == op::Distance::l2        ? distance
                                                           : distance / length);
    if (!a.ds.data) return;
    // ds = of_s s + of_t t
    double of_s = 0, of_t = 0;
    if (a.kind == op::Distance::mean_square) {
      of_s = 2.0 / c;
      of_t = -of_s;
    } else if (a.kind == op::Distance::cosine) {
      of_t = -1 / norms;
      of_s = std::sqrt(ss) * length < 1e-6 ? 0 : cosine / ss;
    } else if (distance != 0) {
      of_s = 1 / (distance * (a.kind == op::Distance::l2 ? 1 : length));
      of_t = -of_s;
    }
    T* ds = a.ds.data + row * a.ds.stride;
    for (int k = 0; k < c; ++k)
      put(ds[k],
          a.weight * (a.kind == op::Distance::cosine ? of_s * s[k] + of_t * t[k]
                                                     : of_s * (double(s[k]) - double(t[k]))),
          a.add);
  }
};

}  // namespace rnx::inline RNX_ABI::gpu

namespace rnx::inline RNX_ABI {
RNX_CUDA_LOSS(RNX_CUDA_DEFINE)
}  // namespace rnx::inline RNX_ABI
