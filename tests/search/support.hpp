// What both probes need: a loss, and directional central differences.
#pragma once

#include <doctest/doctest.h>

#include <rnx/search.hpp>

#include "golden/golden.hpp"

namespace test {

using namespace rnx;

/// Mean cross-entropy of a trace's logits; its gradient, times `weight`, goes to logits_gradient().
inline double mean_loss(Trace<double>& trace, const std::vector<std::int32_t>& labels, double weight = 1) {
  const auto z = trace.logits();
  std::vector<double> values(z.n);
  run<op::cross_entropy, cpu, double>(
      {}, {geometry::map(z), 0.0, weight / z.n, false, z.data, labels.data(), values.data(), trace.logits_gradient().data});
  double sum = 0;
  for (double v : values) sum += v;
  return sum / z.n;
}

/// Error of <gradient, d> for a random direction d over `values`, which f reads, against the central difference of f; relative to the
/// gradient's norm. The floor is for biases before a batch norm, whose gradient is zero but for rounding. The best of three directions
/// counts: one may carry a pre-activation over a kink of hard-swish.
template <class F>
double directional_error(std::span<double> values, std::span<const double> gradient, std::uint64_t site, F f) {
  const std::vector<double> before(values.begin(), values.end());
  const double h = 3e-5 / std::sqrt(double(values.size()));
  double best = std::numeric_limits<double>::infinity();
  for (std::uint64_t draw : {0, 1, 2}) {
    const rng::Stream random(11, Purpose::test, draw, site);
    double expected = 0, squares = 0, sides[2];
    for (std::size_t i = 0; i < values.size(); ++i) expected += gradient[i] * random.normal(i), squares += gradient[i] * gradient[i];
    for (int side : {0, 1}) {
      for (std::size_t i = 0; i < values.size(); ++i) values[i] = before[i] + (side ? -h : h) * random.normal(i);
      sides[side] = f();
    }
    std::copy(before.begin(), before.end(), values.begin());
    best = std::min(best, std::abs(expected - (sides[0] - sides[1]) / (2 * h)) / (std::sqrt(squares) + 1e-3));
  }
  return best;
}

}  // namespace test
