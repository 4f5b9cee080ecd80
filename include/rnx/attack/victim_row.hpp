// The logits of several members, row by row, in double.
#pragma once

#include <cmath>

#include "rnx/attack/victim_op.hpp"

namespace rnx::inline RNX_ISA::rows {

/// What the members say of one sample.
template <class T> struct Members {
  op::Map<const T> z;
  int count;      // members
  std::size_t n;  // the sample
  double log_sums[op::max_members];

  RNX_HD Members(const op::Map<const T>& logits, int samples, std::size_t sample)
      : z(logits),
        count(logits.n / samples),
        n(sample) {
    for (int k = 0; k < count; ++k) log_sums[k] = log_sum(k, samples);
  }
  RNX_HD const T* row(int k) const {
    return z.data + (std::size_t(k) * (z.n / count) + n) * z.stride;
  }
  RNX_HD double log_p(int k, int c) const { return row(k)[c] - log_sums[k]; }
  /// Of class c: log of the mean probability.
  RNX_HD double log_mean(int c) const {
    double top = log_p(0, c), sum = 0;
    for (int k = 1; k < count; ++k) top = log_p(k, c) > top ? log_p(k, c) : top;
    for (int k = 0; k < count; ++k) sum += std::exp(log_p(k, c) - top);
    return top + std::log(sum / count);
  }
  RNX_HD int most_confident() const {
    int best = 0;
    double most = 0;
    for (int k = 0; k < count; ++k) {
      double p = log_p(k, 0);
      for (int c = 1; c < z.c; ++c) p = log_p(k, c) > p ? log_p(k, c) : p;
      if (p != p) return k;
      if (k > 0 && !(p > most)) continue;
      best = k;
      most = p;
    }
    return best;
  }

 private:
  /// log sum exp of member k's logits; NaN unless every one is finite.
  RNX_HD double log_sum(int k, int samples) const {
    const T* v = z.data + (std::size_t(k) * samples + n) * z.stride;
    double top = v[0], sum = 0;
    for (int c = 0; c < z.c; ++c) {
      if (!(v[c] - v[c] == 0)) return double(v[c] - v[c]);  // infinity - infinity is NaN
      top = v[c] > top ? double(v[c]) : top;
    }
    for (int c = 0; c < z.c; ++c) sum += std::exp(v[c] - top);
    return top + std::log(sum);
  }
};

}  // namespace rnx::inline RNX_ISA::rows

namespace rnx::inline RNX_ISA {

template <class T> struct row<op::combine_logits<T>> {
  op::combine_logits<T> a;

  RNX_HD void operator()(std::size_t n) const {
    const rows::Members<T> members(a.z, a.y.n, n);
    T* y = a.y.data + n * a.y.stride;
    if (a.how == op::Combine::most_confident) {
      const T* z = members.row(members.most_confident());
      for (int c = 0; c < a.z.c; ++c) y[c] = z[c];
      return;
    }
    for (int c = 0; c < a.z.c; ++c) {
      double sum = 0;
      for (int k = 0; k < members.count; ++k) sum += members.row(k)[c];
      y[c] = T(a.how == op::Combine::mean_logits ? sum / members.count : members.log_mean(c));
    }
  }
};

template <class T> struct row<op::combine_logits_backward<T>> {
  op::combine_logits_backward<T> a;

  RNX_HD void operator()(std::size_t n) const {
    const rows::Members<T> members(a.z, a.dy.n, n);
    const int chosen = a.how == op::Combine::most_confident ? members.most_confident() : 0;
    for (int k = 0; k < members.count; ++k) {
      const T* dy = a.dy.data + n * a.dy.stride;
      T* dz = a.dz.data + (std::size_t(k) * a.dy.n + n) * a.dz.stride;
      if (a.how == op::Combine::mean_probabilities) {
        of_probabilities(members, k, dy, dz);
        continue;
      }
      const double share = a.how == op::Combine::mean_logits ? 1.0 / members.count : k == chosen;
      for (int c = 0; c < a.z.c; ++c) dz[c] = share == 0 ? T(0) : T(share * dy[c]);
    }
  }

 private:
  /// q(c) = p(k, c) / (m times the mean):  dz(c) = dy(c) q(c) - p(k, c) sum over j of dy(j) q(j)
  RNX_HD void of_probabilities(const rows::Members<T>& members, int k, const T* dy, T* dz) const {
    const auto q = [&](int c) {
      return std::exp(members.log_p(k, c) - members.log_mean(c)) / members.count;
    };
    double sum = 0;
    for (int c = 0; c < a.z.c; ++c) sum += dy[c] * q(c);
    for (int c = 0; c < a.z.c; ++c) dz[c] = T(dy[c] * q(c) - std::exp(members.log_p(k, c)) * sum);
  }
};

template <class T> struct row<op::keep_larger<T>> {
  op::keep_larger<T> a;

  RNX_HD void operator()(std::size_t n) const {
    const T other = a.other_value[n];
    if (!(other > a.value[n] || other != other)) return;
    a.value[n] = other;
    if (!a.other.data) return;
    const std::size_t count = a.kept.sample();
    for (std::size_t i = 0; i < count; ++i)
      a.kept.data[n * count + i] = a.other.data[n * count + i];
  }
};

}  // namespace rnx::inline RNX_ISA
