// Losses on rows of logits or features, computed in double with log p = z - max - log sum exp(z -
// max). A row that has no value (a label outside [0, c), logits that are not finite) gives NaN; the
// host checks values.
#pragma once

#include <cmath>

#include "rnx/kernels/cpu/reduce.hpp"
#include "rnx/loss/op.hpp"

namespace rnx::inline RNX_ISA::host {

/// log sum over k of exp(z(k) / temperature); NaN unless every logit is finite.
template <class T> double log_sum_exp(const T* z, int c, double temperature) {
  double top = z[0], sum = 0;
  bool finite = true;
  for (int k = 0; k < c; ++k) {
    top = larger(top, double(z[k]));
    finite = finite && std::isfinite(z[k]);
  }
  if (!finite) return std::nan("");
  for (int k = 0; k < c; ++k) sum += std::exp((z[k] - top) / temperature);
  return top / temperature + std::log(sum);
}

template <class T> RNX_ALWAYS_INLINE inline void put(T& to, double value, bool add) {
  to = add ? to + T(value) : T(value);
}

}  // namespace rnx::inline RNX_ISA::host

namespace rnx::inline RNX_ISA {

template <class T> struct kernel<cpu, op::cross_entropy<T>> {
  static void run(Stream, const op::cross_entropy<T>& a) {
    const int c = a.logits.c;
    const double t = a.temperature;
    host::for_rows(a.logits.rows(), 32.0 * c, [&](std::size_t row) {
      const T* z = a.logits.data + row * a.logits.stride;
      const std::int32_t label = a.labels[geometry::sample_of(a.samples, row)];
      const bool valid = label >= 0 && label < c;
      const double log_sum = valid ? host::log_sum_exp(z, c, t) : std::nan(""),
                   off = a.smoothing / c;
      if (a.value) {
        double sum = valid ? (1 - a.smoothing) * (log_sum - z[label] / t) : log_sum;
        if (off != 0)
          for (int k = 0; k < c; ++k) sum += off * (log_sum - z[k] / t);
        a.value[row] = T(sum);
      }
      if (!a.dz.data) return;
      T* dz = a.dz.data + row * a.dz.stride;
      for (int k = 0; k < c; ++k)
        host::put(dz[k],
                  a.weight / t *
                      (std::exp(z[k] / t - log_sum) - off - (k == label ? 1 - a.smoothing : 0)),
                  a.add);
    });
  }
};

template <class T> struct kernel<cpu, op::kl_divergence<T>> {
  static void run(Stream, const op::kl_divergence<T>& a) {
    const int c = a.logits.c;
    const double t = a.temperature;
    host::for_rows(a.logits.rows(), 64.0 * c, [&](std::size_t row) {
      const T* s = a.logits.data + row * a.logits.stride;
      const T* teacher = a.teacher.data + geometry::sample_of(a.samples, row) * a.teacher.stride;
      const double sum_s = host::log_sum_exp(s, c, t), sum_t = host::log_sum_exp(teacher, c, t);
      const auto log_s = [&](int k) { return s[k] / t - sum_s; };
      const auto log_t = [&](int k) { return teacher[k] / t - sum_t; };
      const auto slope = [&](int k) {
        return op::floored_slope(std::exp(log_t(k)), std::exp(log_s(k)), a.floor);
      };
      double kl = 0, along = 0;  // along: of the floored divergence, sum of p_s slope
      if (a.value || a.reverse || a.floor > 0)
        for (int k = 0; k < c; ++k) {
          const double difference = log_t(k) - log_s(k);
          if (a.floor > 0) {
            const double p = std::exp(log_s(k));
            kl += op::floored_term(std::exp(log_t(k)), p, a.floor);
            along += p * slope(k);
          } else {
            kl += a.reverse ? -std::exp(log_s(k)) * difference : std::exp(log_t(k)) * difference;
          }
        }
      if (a.value) a.value[row] = T(t * t * kl);
      if (!a.dz.data) return;
      T* dz = a.dz.data + row * a.dz.stride;
      for (int k = 0; k < c; ++k) {
        const double p = std::exp(log_s(k));
        host::put(dz[k],
                  a.weight * t *
                      (a.floor > 0 ? p * (slope(k) - along)
                       : a.reverse ? p * (log_s(k) - log_t(k) - kl)
                                   : p - std::exp(log_t(k))),
                  a.add);
      }
    });
  }
};

template <class T> struct kernel<cpu, op::row_distance<T>> {
  static void run(Stream, const op::row_distance<T>& a) {
    const int c = a.s.c;
    host::for_rows(a.s.rows(), 4.0 * c, [&](std::size_t row) {
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
      const double distance = std::sqrt(dd), norms = std::sqrt(ss) * std::sqrt(tt), floor = 1e-6;
      const double product = host::larger(norms, floor), cosine = st / product,
                   length = std::sqrt(tt);
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
        of_t = -1 / product;
        of_s = norms < floor ? 0 : cosine / ss;
      } else if (distance != 0) {
        of_s = 1 / (distance * (a.kind == op::Distance::l2 ? 1 : length));
        of_t = -of_s;
      }
      T* ds = a.ds.data + row * a.ds.stride;
      for (int k = 0; k < c; ++k) {
        const double gradient = a.kind == op::Distance::cosine
                                    ? of_s * s[k] + of_t * t[k]
                                    : of_s * (double(s[k]) - double(t[k]));
        host::put(ds[k], a.weight * gradient, a.add);
      }
    });
  }
};

}  // namespace rnx::inline RNX_ISA
