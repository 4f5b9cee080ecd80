// The attack of Carlini & Wagner 2017 on one row, computed in double.
#pragma once

#include "rnx/attack/auto_pgd_row.hpp"
#include "rnx/attack/carlini_wagner_op.hpp"

namespace rnx::inline RNX_ISA {

namespace rows {
/// A pixel in (-1, 1): the images of tanh hold neither 0 nor 1.
RNX_HD inline double inside_tanh(double pixel) { return (2 * pixel - 1) * 0.999999; }
}  // namespace rows

template <class T> struct row<op::cw_begin<T>> {
  op::cw_begin<T> a;

  RNX_HD void operator()(std::size_t n) const {
    const std::size_t count = op::features(a.clean), at = n * count;
    rows::copy(a.clean.data + at, a.adversarial.data + at, count);
    T* s = a.state + n * op::cw_columns;
    s[op::cw_constant] = T(a.constant);
    s[op::cw_lower] = 0;
    s[op::cw_upper] = s[op::cw_size] = T(HUGE_VAL);
  }
};

template <class T> struct row<op::cw_restart<T>> {
  op::cw_restart<T> a;

  RNX_HD void operator()(std::size_t n) const {
    T* s = a.state + n * op::cw_columns;
    if (a.next) search(s);
    s[op::cw_found] = s[op::cw_stopped] = 0;
    s[op::cw_checked] = T(HUGE_VAL);
    const std::size_t count = op::features(a.clean), at = n * count;
    for (std::size_t i = at; i < at + count; ++i) {
      a.w.data[i] = T(std::atanh(rows::inside_tanh(a.clean.data[i])));
      a.mean.data[i] = a.square.data[i] = 0;
    }
  }

 private:
  RNX_HD void search(T* s) const {
    const T constant = s[op::cw_constant];
    if (s[op::cw_found] != 0)
      s[op::cw_upper] = constant < s[op::cw_upper] ? constant : s[op::cw_upper];
    else
      s[op::cw_lower] = constant > s[op::cw_lower] ? constant : s[op::cw_lower];
    const T upper = s[op::cw_upper];
    if (a.last)
      s[op::cw_constant] = upper < T(1e10) ? upper : T(1e10);
    else
      s[op::cw_constant] =
          upper < T(HUGE_VAL) ? T((double(s[op::cw_lower]) + upper) / 2) : T(constant * 10.0);
  }
};

template <class T> struct row<op::cw_image<T>> {
  op::cw_image<T> a;

  RNX_HD void operator()(std::size_t n) const {
    const std::size_t count = op::features(a.x);
    const T* w = a.w.data + geometry::sample_of(a.packed, n) * count;
    T* x = a.x.data + n * count;
    for (std::size_t i = 0; i < count; ++i) x[i] = T((std::tanh(double(w[i])) + 1) / 2);
  }
};

template <class T> struct row<op::cw_step<T>> {
  op::cw_step<T> a;

  RNX_HD void operator()(std::size_t n) const {
    const std::size_t count = op::features(a.x), at = geometry::sample_of(a.packed, n) * count;
    const T* x = a.x.data + n * count;
    const T* clean = a.clean.data + at;
    T* s = a.state + geometry::sample_of(a.packed, n) * op::cw_columns;
    const auto moved = [&](std::size_t i) { return x[i] - (rows::inside_tanh(clean[i]) + 1) / 2; };
    const double margin = a.margin[n], missing = a.confidence - margin;
    if (a.check) {
      const double length = rows::norm(op::Norm::l2, count, moved),
                   now = length * length + s[op::cw_constant] * (missing < 0 ? 0 : missing);
      if (now > 0.9999 * s[op::cw_checked]) {
        s[op::cw_stopped] = 1;
        return;
      }
      s[op::cw_checked] = T(now);
    }
    if (a.fooled[n] != 0 && !(a.margin[n] < T(a.confidence))) keep(s, count, x, at);
    const T* g = a.gradient.data + n * count;
    const double of_mean = 1 - std::pow(0.9, a.step), of_square = 1 - std::pow(0.999, a.step);
    for (std::size_t i = 0; i < count; ++i) {
      T& w = a.w.data[at + i];
      T& mean = a.mean.data[at + i];
      T& square = a.square.data[at + i];
      const double t = std::tanh(double(w));
      const double d = (2 * moved(i) - s[op::cw_constant] * g[i]) * (1 - t * t) / 2;
      mean = T(0.9 * mean + 0.1 * d);
      square = T(0.999 * square + 0.001 * d * d);
      w = T(w - a.rate * (mean / of_mean) / (std::sqrt(square / of_square) + 1e-8));
    }
  }

 private:
  RNX_HD void keep(T* s, std::size_t count, const T* x, std::size_t at) const {
    s[op::cw_found] = 1;
    const double size = rows::norm(op::Norm::l2, count, [&](std::size_t i) {
      return double(x[i]) - double(a.clean.data[at + i]);
    });
    if (size >= s[op::cw_size]) return;
    s[op::cw_size] = T(size);
    rows::copy(x, a.adversarial.data + at, count);
  }
};

}  // namespace rnx::inline RNX_ISA
