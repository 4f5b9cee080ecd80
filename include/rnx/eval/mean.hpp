// How sure a mean over a few runs is: Student's t (A&S: Abramowitz and Stegun 1964).
#pragma once

#include <cmath>
#include <limits>
#include <numbers>
#include <span>

#include "rnx/core/error.hpp"

namespace rnx::inline RNX_ISA::eval {

/// P(|T| <= t) of Student's distribution with that many degrees of freedom (A&S 26.7.3, 26.7.4).
inline double student_within(double t, int freedom) {
  const double angle = std::atan(t / std::sqrt(double(freedom))), c2 = std::pow(std::cos(angle), 2);
  const bool odd = freedom % 2 == 1;
  // the sum's terms: cos, 2/3 cos^3, ... with odd degrees of freedom; 1, 1/2 cos^2, ... with even
  double term = odd ? std::cos(angle) : 1, sum = 0;
  for (int k = odd ? 3 : 2; k <= freedom; k += 2) {
    sum += term;
    term *= double(k - 1) / double(k) * c2;
  }
  return odd ? 2 / std::numbers::pi * (angle + std::sin(angle) * sum) : std::sin(angle) * sum;
}

/// The t with P(|T| <= t) = share. Errors: UsageError (freedom not positive, share not in (0, 1)).
inline double student_quantile(int freedom, double share = 0.95) {
  require(freedom > 0 && share > 0 && share < 1,
          "student_quantile: expected a degree of freedom and a share between 0 and 1");
  double low = 0, high = 1;
  while (student_within(high, freedom) < share && high < 1e12) high *= 2;
  for (int k = 0; k < 100; ++k) {
    const double middle = (low + high) / 2;
    (student_within(middle, freedom) < share ? low : high) = middle;
  }
  return (low + high) / 2;
}

/// A mean over runs, and half the width of its 95 % interval.
struct Mean {
  std::size_t n = 0;
  double value = std::numeric_limits<double>::quiet_NaN();  ///< NaN: of nothing
  double half = std::numeric_limits<double>::quiet_NaN();   ///< NaN: fewer than two runs
};

/// Mean +- t s / sqrt(n), s the standard deviation with n - 1.
inline Mean mean(std::span<const double> values) {
  Mean m{.n = values.size()};
  if (values.empty()) return m;
  double sum = 0, squares = 0;
  for (const double v : values) sum += v;
  m.value = sum / double(m.n);
  if (m.n < 2) return m;
  for (const double v : values) squares += (v - m.value) * (v - m.value);
  m.half = student_quantile(int(m.n) - 1) * std::sqrt(squares / double(m.n - 1) / double(m.n));
  return m;
}

}  // namespace rnx::inline RNX_ISA::eval
