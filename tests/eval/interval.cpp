// Wilson intervals against their definition: the ends p of the interval are where |right/n - p| = z
// sqrt(p (1 - p) / n).
#include <doctest/doctest.h>

#include <limits>

#include "rnx/eval/interval.hpp"
#include "support/error_of.hpp"

using namespace rnx;

TEST_CASE("Wilson intervals: known values, the defining equation, and the ends") {
  const double z = 1.959963984540054;
  const eval::Interval eight = eval::wilson(8, 10);
  CHECK(eight.low == doctest::Approx(0.4901625).epsilon(1e-6));
  CHECK(eight.high == doctest::Approx(0.9433178).epsilon(1e-6));
  for (const auto& [right, n] :
       {std::pair{1l, 3l}, {8l, 10l}, {451l, 1000l}, {9999l, 10000l}, {1l, 1000000l}}) {
    const eval::Interval i = eval::wilson(right, n);
    for (const double p : {i.low, i.high})
      CHECK(std::abs(double(right) / n - p) ==
            doctest::Approx(z * std::sqrt(p * (1 - p) / n)).epsilon(1e-9));
    CHECK(i.low < double(right) / n);
    CHECK(i.high > double(right) / n);
    const eval::Interval mirrored = eval::wilson(n - right, n);
    CHECK(i.low == doctest::Approx(1 - mirrored.high));
  }
  // none and all: one end is the share itself, the other z^2 / (n + z^2)
  CHECK(eval::wilson(0, 50).low == 0);
  CHECK(eval::wilson(0, 50).high == doctest::Approx(z * z / (50 + z * z)));
  CHECK(eval::wilson(50, 50).high == 1);
  CHECK(eval::wilson(50, 50).low == doctest::Approx(50 / (50 + z * z)));
  CHECK(eval::wilson(0, 0) == eval::Interval{0, 1});
  CHECK(eval::Proportion{}.value() == 0);
  CHECK(eval::Proportion{1, 4}.value() == 0.25);
  CHECK(eval::wilson(5, 10, 1).high < eval::wilson(5, 10, 2).high);
}

TEST_CASE("what is not a share is refused") {
  for (const auto& share : {std::pair{-1l, 10l}, {11l, 10l}, {0l, -1l}})
    CHECK(support::error_of<UsageError>([&] {
            eval::wilson(share.first, share.second);
          }).find("is not a share") != std::string::npos);
  for (const double z :
       {0., -1., std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()})
    CHECK(support::error_of<UsageError>([&] { eval::wilson(1, 2, z); }).find("z must be") !=
          std::string::npos);
}
