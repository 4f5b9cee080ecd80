// Two models, or two attacks, on the same samples: what differs is in the samples on which only one
// is right.
#pragma once

#include <algorithm>
#include <cmath>

#include "rnx/core/factorial.hpp"
#include "rnx/eval/interval.hpp"

namespace rnx::inline RNX_ISA::eval {

/// The samples that two sides share, counted.
struct Paired {
  long both = 0, only_first = 0, only_second = 0, neither = 0;

  void add(bool first, bool second) {
    ++(first ? (second ? both : only_first) : (second ? only_second : neither));
  }
  long n() const { return both + only_first + only_second + neither; }
  Proportion first() const { return {both + only_first, n()}; }
  Proportion second() const { return {both + only_second, n()}; }
  /// Of the first side's share over the second's, in [-1, 1].
  double difference() const { return first().value() - second().value(); }

  /// Of the difference, 95 %: the square-and-add interval of Wilson's limits with the correlation
  /// of the two sides (Newcombe 1998, Statistics in Medicine 17, 2635, method 10). Without samples
  /// nothing is known: [-1, 1].
  Interval interval() const;
  /// McNemar's test, two-sided: how probable it is, where both sides are right equally often, that
  /// the discordant samples divide at least as unevenly. exact: conditional on their number. mid-p:
  /// less the half of the probability of what was found, which is closer to its level (Fagerland et
  /// al. 2013, BMC Medical Research Methodology 13, 91). 1 without discordant samples.
  double exact_p() const;
  double mid_p() const;

 private:
  /// Of k of the discordant samples, each side being right with probability 1/2.
  double probability(long k) const {
    const double m = double(only_first + only_second);
    return std::exp(log_factorial(m) - log_factorial(double(k)) - log_factorial(m - double(k)) -
                    m * std::log(2.0));
  }
};

inline Interval Paired::interval() const {
  if (n() == 0) return {-1, 1};
  const double p = first().value(), q = second().value(), total = double(n());
  const Interval a = first().interval(), b = second().interval();
  const double margins = double(both + only_first) * double(only_second + neither) *
                         double(both + only_second) * double(only_first + neither);
  double excess = double(both) * double(neither) - double(only_first) * double(only_second);
  if (excess > 0) excess = std::max(excess - total / 2, 0.0);  // the method's correction
  const double phi = margins == 0 ? 0 : excess / std::sqrt(margins);
  const auto width = [phi](double u, double v) {
    return std::sqrt(std::max(u * u - 2 * phi * u * v + v * v, 0.0));
  };
  return {std::max(p - q - width(p - a.low, b.high - q), -1.0),
          std::min(p - q + width(a.high - p, q - b.low), 1.0)};
}

inline double Paired::exact_p() const {
  const long least = std::min(only_first, only_second);
  if (only_first == only_second) return 1;
  double sum = 0;
  for (long k = 0; k <= least; ++k) sum += probability(k);
  return std::min(2 * sum, 1.0);
}
inline double Paired::mid_p() const {
  if (only_first + only_second == 0) return 1;
  const double found = probability(std::min(only_first, only_second));
  return only_first == only_second ? 1 - found / 2 : exact_p() - found;
}

}  // namespace rnx::inline RNX_ISA::eval
