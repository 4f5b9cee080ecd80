// Operations on bytes against Pillow's, AugMix against a mixture of them in double
// (golden/augmix.py).
#include "rnx/data/augmix.hpp"

#include <doctest/doctest.h>

#include "golden/golden.hpp"
#include "rnx/data/operations.hpp"
#include "support/error_of.hpp"
#include "support/hex.hpp"

using namespace rnx;
namespace bytes = data::bytes;
using Bytes = std::vector<std::uint8_t>;

namespace {

Bytes bytes_of(const golden::json& hex) { return support::bytes_of_hex(hex.get<std::string>()); }

Dims dims_of(const golden::json& record) {
  return {.c = 3, .h = record["h"].get<int>(), .w = record["w"].get<int>()};
}

/// How many bytes differ; none by more than one level.
int others(const Bytes& a, const Bytes& b) {
  REQUIRE(a.size() == b.size());
  int n = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    n += a[i] != b[i];
    CHECK(std::abs(a[i] - b[i]) <= 1);
  }
  return n;
}

template <class Change> Bytes changed(Bytes picture, const Change& change) {
  change(std::span(picture));
  return picture;
}

}  // namespace

TEST_CASE("bytes: contrast, equalize, posterize and solarize give Pillow's bytes") {
  const golden::json record = golden::load("augmix");
  const Dims d = dims_of(record);
  const Bytes picture = bytes_of(record["picture"]);
  CHECK(changed(picture, [&](auto p) { bytes::auto_contrast(p, d); }) ==
        bytes_of(record["auto_contrast"]));
  CHECK(changed(picture, [&](auto p) { bytes::equalize(p, d); }) == bytes_of(record["equalize"]));
  CHECK(changed(Bytes(d.count(), 77), [&](auto p) {
          bytes::auto_contrast(p, d);
          bytes::equalize(p, d);
        }) == bytes_of(record["flat"]));
  for (const golden::json& r : record["posterize"])
    CHECK(changed(picture, [&](auto p) { bytes::posterize(p, r[0].get<int>()); }) ==
          bytes_of(r[1]));
  for (const golden::json& r : record["solarize"])
    CHECK(changed(picture, [&](auto p) { bytes::solarize(p, r[0].get<int>()); }) == bytes_of(r[1]));
}

TEST_CASE("bytes: bilinear affine maps and rotations give Pillow's bytes") {
  const golden::json record = golden::load("augmix");
  const Dims d = dims_of(record);
  const Bytes picture = bytes_of(record["picture"]);
  Bytes out(picture.size());
  int different = 0, count = 0;
  for (const golden::json& r : record["rotate"]) {
    bytes::transform(picture.data(), d, bytes::rotation(r[0].get<double>(), d), out.data());
    different += others(out, bytes_of(r[1]));
    count += int(out.size());
  }
  for (const golden::json& r : record["affine"]) {
    const auto a = r[0].get<std::vector<double>>();
    bytes::transform(picture.data(), d,
                     {.ax = a[0], .bx = a[1], .cx = a[2], .ay = a[3], .by = a[4], .cy = a[5]},
                     out.data());
    different += others(out, bytes_of(r[1]));
    count += int(out.size());
  }
  CHECK(different <= count / 1000);
}

TEST_CASE("augmix: the published mixture, from the numbers of (seed, epoch, sample, view)") {
  const golden::json record = golden::load("augmix");
  const Dims d = dims_of(record);
  std::uint32_t sample = 0;
  for (const golden::json& r : record["augmix"]) {
    CAPTURE(sample);
    const Bytes picture = bytes_of(r["picture"]);
    const data::Augment augment{data::AugMix{.width = r["width"].get<int>(),
                                             .depth = r["depth"].get<int>(),
                                             .severity = r["severity"].get<double>()}};
    std::vector<float> x(picture.size());
    data::make_sample(
        {.h = d.h, .w = d.w, .sample = d}, augment, {.seed = 11, .epoch = 2, .view = 1}, sample,
        [&](data::Patch patch) {
          patch.pixels = picture.data();
          return patch;
        },
        x.data());
    const auto expected = r["mixed"].get<std::vector<double>>();
    double worst = 0;
    for (std::size_t i = 0; i < expected.size(); ++i)
      worst = std::max(worst, std::abs(x[7 * i] - expected[i]));
    CHECK(worst < 1e-6);
    ++sample;
  }
}

TEST_CASE("augmix: a NaN stays one, and no other value becomes one") {
  std::vector<float> x(3 * 64, 0.5f);
  x[70] = NAN;
  data::Augment{data::AugMix{}}.change({x.data(), 1, {3, 8, 8}, 3}, {.seed = 1}, 0);
  for (std::size_t i = 0; i < x.size(); ++i) CHECK(std::isnan(x[i]) == (i == 70));
}

TEST_CASE("augmix: numbers that cannot be are refused") {
  const auto error = [](const data::AugMix& op) {
    return support::error_of<UsageError>([&] { data::Augment{op}.check({8, 8, 3}); });
  };
  CHECK(error({.width = 0}) == "augmix: expected a width of at least 1, found 0");
  CHECK(error({.depth = -1}) == "augmix: expected a depth of at least 0, found -1");
  CHECK(error({.severity = 11}) == "augmix: expected a severity above 0.1, up to 10, found 11");
  CHECK(data::Augment{data::RandomCrop{}, data::AugMix{}}.describe() ==
        "pad 4 crop width 3 depth 0 severity 3 augmix");
}
