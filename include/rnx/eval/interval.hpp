// How sure a measured share is: Wilson's score interval for a binomial proportion (Wilson 1927, eq.
// for the limits of p).
#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include "rnx/core/error.hpp"

namespace rnx::inline RNX_ISA::eval {

/// Limits of an interval, both in [0, 1].
struct Interval {
  double low = 0, high = 1;
  friend bool operator==(const Interval&, const Interval&) = default;
};

/// The Wilson score interval of `right` out of `n`: the shares p with |right/n - p| <= z sqrt(p (1
/// - p) / n). z = 1.96 gives 95 %. Without samples nothing is known: [0, 1]. Errors: UsageError
///   (right not in [0, n], z not positive and finite).
inline Interval wilson(long right, long n, double z = 1.959963984540054) {
  require(n >= 0 && right >= 0 && right <= n, [&] {
    return "wilson: " + std::to_string(right) + " of " + std::to_string(n) + " is not a share";
  });
  require(z > 0 && std::isfinite(z), "wilson: z must be positive and finite");
  if (n == 0) return {};
  const double p = double(right) / double(n), zz = z * z / double(n);
  const double centre = (p + zz / 2) / (1 + zz),
               half = std::sqrt(p * (1 - p) * zz + zz * zz / 4) / (1 + zz);
  // The ends of [0, 1] are reached exactly where none or all are right; rounding must not miss
  // them.
  return {right == 0 ? 0 : std::max(centre - half, 0.0),
          right == n ? 1 : std::min(centre + half, 1.0)};
}

/// A counted share: `right` of `n`.
struct Proportion {
  long right = 0, n = 0;
  /// 0 where nothing was counted.
  double value() const { return n == 0 ? 0 : double(right) / double(n); }
  Interval interval() const { return wilson(right, n); }
};

}  // namespace rnx::inline RNX_ISA::eval
