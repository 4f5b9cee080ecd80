// The common corruptions against the libraries of the published code (golden/corruptions.py), with
// the same random numbers; what random numbers there are; what is refused.
#include "rnx/data/corruption.hpp"

#include <doctest/doctest.h>

#include <map>

#include "golden/golden.hpp"
#include "rnx/data/synthetic.hpp"
#include "support/error_of.hpp"
#include "support/hex.hpp"

using namespace rnx;
using data::Corruption;
using data::Picture;
using Bytes = std::vector<std::uint8_t>;

namespace {

data::Draws draws_of(Corruption kind, int severity, std::uint64_t site = 1) {
  return data::Draws(
      rng::Stream(9, Purpose::data, std::uint64_t(kind) << 8 | unsigned(severity), site));
}

Corruption kind_of(const std::string& name) {
  const auto& names = data::corruption::names;
  const auto at = std::find(names.begin(), names.end(), name);
  REQUIRE(at != names.end());
  return Corruption(at - names.begin());
}

/// The golden file's frost: two and two copies of the picture upside down, cut to 45 x 50.
Picture frost_of(const Picture& p) {
  Picture frost{45, 50, 3, {}};
  for (int y = 0; y < frost.h; ++y)
    for (int x = 0; x < frost.w; ++x)
      for (int k = 0; k < 3; ++k)
        frost.pixels.push_back(
            p.pixels[(std::size_t(p.h - 1 - y % p.h) * p.w + x % p.w) * 3 + std::size_t(k)]);
  return frost;
}

}  // namespace

TEST_CASE("corruptions: within one level of the published libraries on 99.9 % of the pixels") {
  const golden::json record = golden::load("corruptions");
  const int side = record["side"].get<int>();
  const Picture picture{side, side, 3, support::bytes_of_hex(record["picture"])};
  const std::vector<Picture> frost{frost_of(picture)};
  std::map<std::string, long> far, all;
  for (const golden::json& r : record["cases"]) {
    const Corruption kind = kind_of(r[1]);
    const int severity = r[2].get<int>();
    data::CorruptionOptions options{.frost = frost};
    if (r[0] == "tiny_imagenet") options.constants = data::corruption::Set::tiny_imagenet;
    data::Draws draws = draws_of(kind, severity);
    const Picture out = data::corrupt(picture, kind, severity, draws, options);
    const Bytes expected = support::bytes_of_hex(r[3]);
    long different = 0;
    for (std::size_t i = 0; i < expected.size(); ++i)
      different += std::abs(out.pixels[4 * i] - expected[i]) > 1;
    INFO(r[0].get<std::string>(), " ", r[1].get<std::string>(), " ", severity);
    CHECK(different <= long(expected.size()) / 100);
    far[r[1]] += different;
    all[r[1]] += long(expected.size());
  }
  CHECK(all.size() == 19);
  for (const auto& counted : all) {
    CAPTURE(counted.first);
    CHECK(far[counted.first] <= counted.second / 1000);
  }
}

TEST_CASE("corruptions: Poisson numbers have their mean and variance") {
  for (const double mean : {0.0, 0.3, 4.0, 12.0, 480.0}) {
    CAPTURE(mean);
    constexpr int n = 40000;
    data::Draws draws(rng::Stream(3, Purpose::test, std::uint64_t(mean * 10)));
    double sum = 0, squares = 0;
    for (int i = 0; i < n; ++i) {
      const double v = double(draws.poisson(mean)) - mean;
      sum += v;
      squares += v * v;
    }
    CHECK(std::abs(sum / n) <= 4 * std::sqrt(mean / n));
    CHECK(std::abs(squares / n - mean) <= 5 * std::sqrt((2 * mean * mean + mean) / n));
  }
}

TEST_CASE("corruptions: a mean that no Poisson numbers have is refused") {
  data::Draws draws(rng::Stream(3, Purpose::test));
  for (const double mean : {-1.0, double(NAN), double(INFINITY)})
    CHECK(support::error_of<UsageError>([&] {
            draws.poisson(mean);
          }).starts_with("poisson: expected a mean of at least 0, found "));
}

TEST_CASE("corruptions: every image's numbers are its own, the options change what they name") {
  const data::Images images = data::synthetic(data::Split::test, 6);
  const data::Images noisy = data::corrupt(images, Corruption::gaussian_noise, 2, 5);
  CHECK(noisy.labels == images.labels);
  CHECK(noisy.pixels != images.pixels);
  CHECK(data::corrupt(images, Corruption::gaussian_noise, 2, 5).pixels == noisy.pixels);
  CHECK(data::corrupt(images, Corruption::gaussian_noise, 2, 6).pixels != noisy.pixels);
  data::Images first = images;
  first.n = 2;
  first.pixels.resize(2 * first.dims.count());
  const data::Images fewer = data::corrupt(first, Corruption::gaussian_noise, 2, 5);
  CHECK(std::equal(fewer.pixels.begin(), fewer.pixels.end(), noisy.pixels.begin()));
  const auto with = [&](Corruption kind, const data::CorruptionOptions& o) {
    return data::corrupt(images, kind, 1, 5, o).pixels;
  };
  CHECK(with(Corruption::glass_blur, {}) != with(Corruption::glass_blur, {.glass_swaps = true}));
  CHECK(with(Corruption::zoom_blur, {}) != with(Corruption::zoom_blur, {.even_zooms = true}));
  for (const auto set : {data::corruption::Set::cifar, data::corruption::Set::tiny_imagenet})
    for (int severity = 1; severity <= 5; ++severity) {
      const int zooms[] = {7, 12, 16, 21, 26};
      CHECK(data::corruption::zoom_count(set, severity, false) == zooms[severity - 1]);
      CHECK(data::corruption::zoom_count(set, severity, true) ==
            zooms[severity - 1] - (severity <= 2));
    }
  CHECK(with(Corruption::contrast, {}) != with(Corruption::contrast, {.rounds = true}));
  CHECK(with(Corruption::frost, {}) != images.pixels);  // computed ice
}

TEST_CASE("corruptions: what cannot be is refused") {
  const Picture picture{32, 32, 3, Bytes(3072, 100)};
  data::Draws draws(rng::Stream(1, Purpose::test));
  const auto error = [&](const Picture& p, Corruption kind, int severity,
                         const data::CorruptionOptions& o = {}) {
    return support::error_of<UsageError>([&] { data::corrupt(p, kind, severity, draws, o); });
  };
  CHECK(error(picture, Corruption::fog, 6) == "corrupt: expected a severity from 1 to 5, found 6");
  CHECK(error({4, 4, 3, Bytes(48)}, Corruption::fog, 1) ==
        "corrupt: expected a picture of 8 x 8 pixels or more and 1 or 3 channels, found 4 x 4 and "
        "3");
  const std::vector<Picture> small{picture};
  CHECK(error(picture, Corruption::frost, 1, {.frost = small}) ==
        "frost: expected a picture of more than 32 x 32 pixels and 3 channels, found 32 x 32 and "
        "3");
}
