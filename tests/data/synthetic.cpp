// The computed data set: its bytes, its label noise, and what a linear classifier finds in it once
// the pattern is averaged away. What networks make of it is shown by the quickstart, which is a
// test of its own.
#include "rnx/data/synthetic.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>
#include <set>

#include "rnx/core/checksum.hpp"
#include "rnx/data/selection.hpp"
#include "support/sanitizers.hpp"

namespace {

using namespace rnx;
using data::Images;
using data::Split;

/// Means over blocks of 4 x 4 pixels and a one: (n, 8 * 8 * 3 + 1), about -1 to 1. The pattern is
/// not in them.
constexpr int features = 193;
std::vector<float> broad(const Images& images) {
  std::vector<float> out(std::size_t(images.n) * features);
  for (int i = 0; i < images.n; ++i) {
    float* to = out.data() + std::size_t(i) * features;
    const std::uint8_t* from = images.pixels.data() + i * images.dims.count();
    for (int p = 0; p < 1024; ++p)
      for (int c = 0; c < 3; ++c)
        to[(p / 128 * 8 + p % 32 / 4) * 3 + c] += float(from[3 * p + c]) / 16;
    for (int k = 0; k < 192; ++k) to[k] = to[k] / 64 - 2;
    to[192] = 1;
  }
  return out;
}

/// Weights (10, features) of a multinomial logistic regression: gradient descent with momentum over
/// batches of 100.
std::vector<float> regression(const std::vector<float>& x, const std::vector<std::int32_t>& labels,
                              int epochs) {
  const int n = int(labels.size()), batch = 100;
  std::vector<float> w(10 * features), velocity(10 * features), gradient(10 * features);
  for (int epoch = 0; epoch < epochs; ++epoch)
    for (int first = 0; first < n; first += batch) {
      std::fill(gradient.begin(), gradient.end(), 0.0f);
      for (int i = first; i < std::min(n, first + batch); ++i) {
        const float* row = x.data() + std::size_t(i) * features;
        float z[10], top = -1e30f, sum = 0;
        for (int c = 0; c < 10; ++c) {
          z[c] = std::inner_product(row, row + features, w.data() + c * features, 0.0f);
          top = std::max(top, z[c]);
        }
        for (float& v : z) {
          v = std::exp(v - top);
          sum += v;
        }
        for (int c = 0; c < 10; ++c)
          for (int k = 0; k < features; ++k)
            gradient[c * features + k] +=
                (z[c] / sum - float(c == labels[i])) / float(batch) * row[k];
      }
      const float lr = 0.05f * (1 - float(epoch) / float(epochs));
      for (std::size_t k = 0; k < w.size(); ++k) {
        velocity[k] = 0.9f * velocity[k] + gradient[k];
        w[k] -= lr * velocity[k];
      }
    }
  return w;
}

double accuracy(const std::vector<float>& w, const std::vector<float>& x,
                const std::vector<std::int32_t>& labels) {
  int right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    float z[10];
    for (int c = 0; c < 10; ++c)
      z[c] = std::inner_product(x.data() + i * features, x.data() + (i + 1) * features,
                                w.data() + c * features, 0.0f);
    right += std::max_element(z, z + 10) - z == labels[i];
  }
  return double(right) / double(labels.size());
}

}  // namespace

TEST_CASE("synthetic: the same bytes everywhere") {
  const auto of = [](Split split) {
    const Images images = data::synthetic(split, 100);
    return Checksum().add(images.pixels.data(), images.pixels.size()).text();
  };
  CHECK(of(Split::train) == "43f483ba7e6ea005");
  CHECK(of(Split::test) == "5a204889f606e316");
}

TEST_CASE("fingerprint of a set in memory: its labels, then its pixels, as docs/data.md says") {
  const Images images{
      .n = 2, .dims = {1, 1, 2}, .classes = 300, .pixels = {1, 2, 3, 255}, .labels = {1, 258}};
  const std::string bytes("\1\0\0\0\2\1\0\0\1\2\3\xFF", 12);
  const data::Memory whole(images);
  CHECK(whole.fingerprint() == Checksum().add(bytes).text());
  CHECK(data::Part(whole, 1, 1).fingerprint() == whole.fingerprint() + "[1:2]");
}

TEST_CASE("synthetic: sizes, balance, and what distinguishes two sets") {
  const Images train = data::synthetic(Split::train, 500), test = data::synthetic(Split::test);
  CHECK(train.n == 500);
  CHECK(test.n == 1000);
  CHECK(train.dims == Dims{3, 32, 32});
  CHECK(train.classes == 10);
  CHECK(std::set<std::string>(train.class_names.begin(), train.class_names.end()).size() == 10);
  for (const Images* images : {&train, &test}) {
    REQUIRE(images->labels.size() == std::size_t(images->n));
    REQUIRE(images->pixels.size() == images->n * images->dims.count());
    for (int c = 0; c < 10; ++c)
      CHECK(std::count(images->labels.begin(), images->labels.end(), c) == images->n / 10);
  }
  // a smaller set is the beginning of a larger one; no image is in both splits, or in a set with
  // another seed
  const Images few = data::synthetic(Split::train, 30),
               other = data::synthetic(Split::train, 500, 2);
  CHECK(std::equal(few.pixels.begin(), few.pixels.end(), train.pixels.begin()));
  std::set<std::vector<std::uint8_t>> seen;
  for (const Images* images : {&train, &test, &other})
    for (int i = 0; i < images->n; ++i)
      seen.emplace(images->pixels.begin() + i * 3072, images->pixels.begin() + (i + 1) * 3072);
  CHECK(seen.size() == 2000);
}

TEST_CASE("synthetic: the pattern is under 8 levels, averages to nothing, and tells the classes") {
  CHECK(data::synthetic_amplitude < 8);
  for (int label = 0; label < 10; ++label)
    for (int c = 0; c < 3; ++c)
      for (int y = 0; y < 2; ++y)
        for (int x = 0; x < 2; ++x) {
          int sum = 0;  // over the 2 x 2 block at any place
          for (int k = 0; k < 4; ++k)
            sum += data::synthetic_pattern(label, y + k / 2, x + k % 2, c);
          CHECK(sum == 0);
        }
  // shifted by any number of pixels, no class's pattern is another one's
  for (int a = 0; a < 10; ++a)
    for (int b = 0; b < 10; ++b)
      for (int shift = 0; shift < 4; ++shift) {
        int product = 0;
        for (int k = 0; k < 12; ++k)
          product += data::synthetic_pattern(a, k / 6, k / 3 % 2, k % 3) *
                     data::synthetic_pattern(b, k / 6 + shift / 2, k / 3 % 2 + shift % 2, k % 3);
        CHECK((std::abs(product) == 12) == (a == b));
      }
  for (std::uint64_t i = 0; i < 40; ++i) {
    const data::SyntheticScene scene = data::synthetic_scene(Split::train, 1, i);
    std::vector<std::uint8_t> with(3072), without(3072);
    data::synthetic_paint(scene, Split::train, 1, i, with.data());
    data::synthetic_paint(scene, Split::train, 1, i, without.data(), false);
    int wrong = 0;
    for (int k = 0; k < 3072; ++k)
      wrong += int(with[k]) - int(without[k]) !=
                   data::synthetic_amplitude *
                       data::synthetic_pattern(scene.label, k / 96, k / 3 % 32, k % 3) ||
               with[k] < 12 || with[k] > 243;
    CHECK(wrong == 0);
  }
}

TEST_CASE("synthetic: the shape is the label's in seven of ten images") {
  for (const Split split : {Split::train, Split::test}) {
    const int n = 20000;
    int same = 0, others[10] = {};
    for (int i = 0; i < n; ++i) {
      const data::SyntheticScene scene = data::synthetic_scene(split, 1, std::uint64_t(i));
      same += scene.shape == scene.label;
      if (scene.shape != scene.label) ++others[(scene.shape - scene.label + 10) % 10];
    }
    CHECK(std::abs(same / double(n) - 0.7) < 0.013);  // four standard deviations
    for (int k = 1; k < 10; ++k) CHECK(std::abs(others[k] / double(n) - 0.3 / 9) < 0.0051);
  }
}

TEST_CASE("synthetic: a linear classifier on broad features finds something, and less than 80 %" *
          doctest::skip(support::sanitized)) {
  const Images train = data::synthetic(Split::train, 4000), test = data::synthetic(Split::test);
  const std::vector<float> x = broad(train);
  const double found = accuracy(regression(x, train.labels, 20), broad(test), test.labels);
  MESSAGE("linear probe: " << found);
  CHECK(found > 0.25);
  CHECK(found < 0.80);
}
