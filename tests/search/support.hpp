// What both probes need: a loss, and directional central differences.
#pragma once

#include <doctest/doctest.h>

#include <rnx/loss/cpu.hpp>
#include <rnx/search.hpp>

#include "golden/golden.hpp"
#include "support/gradient_check.hpp"

namespace test {

using namespace rnx;

/// Mean cross-entropy of a trace's logits; its gradient, times `weight`, goes to logits_gradient().
inline double mean_loss(Trace<double>& trace, const std::vector<std::int32_t>& labels,
                        double weight = 1) {
  const auto z = trace.logits();
  std::vector<double> values(z.n);
  run<cpu>({}, op::cross_entropy<double>{.logits = z,
                                         .dz = {geometry::map(z), trace.logits_gradient().data},
                                         .labels = labels.data(),
                                         .value = values.data(),
                                         .smoothing = 0.0,
                                         .weight = weight / z.n,
                                         .add = false});
  double sum = 0;
  for (double v : values) sum += v;
  return sum / z.n;
}

/// support::directional_error with noise of a site's own.
template <class F>
double directional_error(std::span<double> values, std::span<const double> gradient,
                         std::uint64_t site, F&& f) {
  const rng::Stream random(11, Purpose::test, 0, site);
  std::uint64_t drawn = 0;
  return support::directional_error(
      values, gradient, [&] { return 2 * random.uniform(drawn++) - 1; }, f);
}

}  // namespace test
