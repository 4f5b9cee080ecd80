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
  run<op::cross_entropy, cpu, double>({}, {geometry::map(z), 0.0, weight / z.n, false, z.data, labels.data(), values.data(), trace.logits_gradient().data});
  double sum = 0;
  for (double v : values) sum += v;
  return sum / z.n;
}

/// |<gradient, d> - (f(+h d) - f(-h d)) / 2h| / (|<gradient, d>| + scale) for a random direction d over `values`, which f reads.
template <class F>
double directional_error(std::span<double> values, std::span<const double> gradient, std::uint64_t site, F f, double h = 1e-5) {
  const std::vector<double> before(values.begin(), values.end());
  const rng::Stream random(11, Purpose::test, 0, site);
  double expected = 0, sides[2];
  for (std::size_t i = 0; i < values.size(); ++i) expected += gradient[i] * random.normal(i);
  for (int side : {0, 1}) {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = before[i] + (side ? -h : h) * random.normal(i);
    sides[side] = f();
  }
  std::copy(before.begin(), before.end(), values.begin());
  return std::abs(expected - (sides[0] - sides[1]) / (2 * h)) / (std::abs(expected) + 1e-2);
}

}  // namespace test
