// Logarithms of factorials, for probabilities: std::lgamma writes to a global variable.
#pragma once

#include <cmath>
#include <numbers>

#include "rnx/config.hpp"

namespace rnx::inline RNX_ABI {

/// ln n! of a whole number n >= 0: Stirling's series, whose first missing term is below 2e-14 from
/// 16 on.
inline double log_factorial(double n) {
  double shift = 0;
  for (; n < 16; ++n) shift += std::log(n + 1);
  const double r = 1 / n, rr = r * r;
  const double series = r * (1.0 / 12 - rr * (1.0 / 360 - rr * (1.0 / 1260 - rr / 1680)));
  return 0.5 * std::log(2 * std::numbers::pi * n) + n * std::log(n) - n + series - shift;
}

}  // namespace rnx::inline RNX_ABI
