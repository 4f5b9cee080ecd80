// Accuracy under corruptions: means over versions by hand, intervals of differences that cover.
#include "rnx/eval/corruption.hpp"

#include <doctest/doctest.h>

#include "support/error_of.hpp"

using namespace rnx;
using data::Corruption;
using eval::CorruptionScores;
using Right = std::vector<std::uint8_t>;

namespace {

/// Of four images, image i right where (kind + severity) % 4 >= i.
CorruptionScores scores() {
  CorruptionScores s;
  for (int k = 0; k < data::corruption::benchmark_count; ++k)
    for (int severity = 1; severity <= 5; ++severity) {
      Right right;
      for (int i = 0; i < 4; ++i) right.push_back((k + severity) % 4 >= i);
      s.add(Corruption(k), severity, right);
    }
  return s;
}

}  // namespace

TEST_CASE("corruptions: npa and mce are means over severities, corruptions, images") {
  const CorruptionScores s = scores();
  // severities 1 to 5 of corruption 0: 2, 3, 4, 1, 2 of 4 images
  CHECK(s.accuracy(Corruption::gaussian_noise) == doctest::Approx(12 / 20.0));
  double sum = 0, weighted = 0;
  for (int k = 0; k < 15; ++k) {
    double right = 0;
    for (int severity = 1; severity <= 5; ++severity) right += 1 + (k + severity) % 4;
    sum += right / 20;
    weighted += (1 - right / 20) / eval::tiny_imagenet_reference[std::size_t(k)];
  }
  CHECK(s.npa() == doctest::Approx(sum / 15));
  CHECK(s.mce() == doctest::Approx(1 - sum / 15));
  CHECK(s.mce(eval::tiny_imagenet_reference) == doctest::Approx(weighted / 15));
  const std::vector<double> shares = s.per_image();
  CHECK(shares[0] == 1);
  CHECK((shares[0] + shares[1] + shares[2] + shares[3]) / 4 == doctest::Approx(s.npa()));
}

TEST_CASE("corruptions: an interval of a paired difference has the width of its standard error") {
  std::vector<double> a, b;
  const rng::Stream random(1, Purpose::test);
  double sum = 0, squares = 0;
  constexpr int n = 400;
  for (int i = 0; i < n; ++i) {
    const double common = random.uniform(2 * std::uint64_t(i));
    a.push_back(common + 0.1 * random.normal(i));
    b.push_back(common);
    sum += a.back() - b.back();
    squares += (a.back() - b.back()) * (a.back() - b.back());
  }
  const double mean = sum / n, error = std::sqrt((squares / n - mean * mean) / n);
  const eval::Difference d = eval::paired_bootstrap(a, b);
  CHECK(d.value == doctest::Approx(mean));
  CHECK(d.high - d.value == doctest::Approx(1.96 * error).epsilon(0.06));
  CHECK(d.value - d.low == doctest::Approx(1.96 * error).epsilon(0.06));
  CHECK(eval::paired_bootstrap(a, b, 1000, 3).low == eval::paired_bootstrap(a, b, 1000, 3).low);
}

TEST_CASE("corruptions: what is missing, twice or of other images is refused") {
  CorruptionScores s;
  const auto error = [](auto&& call) { return support::error_of<UsageError>(call); };
  s.add(Corruption::fog, 1, Right{1, 0});
  CHECK(error([&] {
          s.add(Corruption::fog, 1, Right{1, 0});
        }) == "corruptions: fog of severity 1 is there already");
  CHECK(error([&] { s.add(Corruption::fog, 2, Right{1}); }) ==
        "corruptions: expected 2 images, found 1");
  CHECK(error([&] {
          s.add(Corruption::fog, 0, Right{1, 1});
        }) == "corruptions: expected a severity from 1 to 5, found 0");
  CHECK(error([&] { s.accuracy(Corruption::fog); }) == "corruptions: fog of severity 2 is missing");
  CHECK(error([&] { s.npa(); }) == "corruptions: gaussian_noise of severity 1 is missing");
  CHECK(error([] { eval::paired_bootstrap(std::vector{1.0}, {}); }) ==
        "paired_bootstrap: expected two lists of one length and 100 resamples or more, found 1 and "
        "0 numbers, 10000 resamples");
}
