// Orders of classes: which are mixed, and a source in an order that is.
#include "rnx/data/shuffled.hpp"

#include <doctest/doctest.h>

#include "rnx/data/statistics.hpp"
#include "support/error_of.hpp"

using namespace rnx;
using data::is_mixed;

namespace {

/// n labels, of which number i is of(i).
template <class F> std::vector<std::int32_t> labels(int n, F of) {
  std::vector<std::int32_t> all;
  for (int i = 0; i < n; ++i) all.push_back(of(i));
  return all;
}

std::vector<std::int32_t> shuffled(const std::vector<std::int32_t>& from, std::uint64_t seed) {
  std::vector<std::int32_t> to;
  for (const std::uint32_t i : data::epoch_order(from.size(), seed, 0)) to.push_back(from[i]);
  return to;
}

}  // namespace

TEST_CASE(
    "is_mixed: classes in turn and random orders are; sorted, grouped and drifting ones are not") {
  const auto in_turn = labels(1000, [](int i) { return i % 10; });
  const auto sorted = labels(1000, [](int i) { return i / 100; });
  const auto rare = labels(1000, [](int i) { return i < 990 ? 0 : 1; });
  CHECK(is_mixed(in_turn, 10));
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    CHECK(is_mixed(shuffled(sorted, seed), 10));
    CHECK(is_mixed(shuffled(rare, seed), 2));
    CHECK(is_mixed(shuffled(labels(20, [](int i) { return i / 10; }), seed + 3), 5));
  }
  CHECK_FALSE(is_mixed(sorted, 10));
  CHECK_FALSE(is_mixed(std::vector<std::int32_t>(sorted.rbegin(), sorted.rend()), 10));
  CHECK_FALSE(is_mixed(rare, 2));
  CHECK_FALSE(is_mixed(std::vector{2, 2, 0, 0, 1, 1}, 4));
  // each half is shuffled, but holds its own classes; one class comes last in an order that is
  // random otherwise
  auto halves = shuffled(labels(500, [](int i) { return i % 5; }), 1);
  for (const std::int32_t label : shuffled(labels(500, [](int i) { return i % 5; }), 2))
    halves.push_back(label + 5);
  CHECK_FALSE(is_mixed(halves, 10));
  auto last = shuffled(labels(900, [](int i) { return i % 9; }), 3);
  last.insert(last.end(), 100, 9);
  CHECK_FALSE(is_mixed(last, 10));
  // nothing to mix
  CHECK(is_mixed({}, 10));
  CHECK(is_mixed(std::vector{3, 3, 3}, 10));
  CHECK(is_mixed(std::vector{0, 1, 2}, 3));
  CHECK(support::error_of<UsageError>([] {
          is_mixed(std::vector{0, 3}, 3);
        }) == "is_mixed: expected labels below 3, found 3");
}

TEST_CASE(
    "statistics: a part of a sorted source stands for all of it, the first of a mixed one as "
    "before") {
  data::Images images{.n = 400, .dims = {1, 1, 1}, .classes = 4};
  for (int i = 0; i < images.n; ++i) {
    images.labels.push_back(i / 100);
    images.pixels.push_back(std::uint8_t(60 * images.labels.back()));
  }
  CHECK(data::statistics(data::Memory(images), 100).mean[0] == doctest::Approx(90 / 255.0));
  for (int i = 0; i < images.n; ++i) {
    images.labels[std::size_t(i)] = i % 4;
    images.pixels[std::size_t(i)] = std::uint8_t(i < 100 ? 51 : 255);
  }
  CHECK(data::statistics(data::Memory(images), 100).mean[0] == doctest::Approx(0.2));
}

TEST_CASE(
    "Shuffled: each sample once, with its own number, and the first are a part of the whole "
    "order") {
  data::Images images{.n = 200, .dims = {1, 1, 1}, .classes = 4};
  for (int i = 0; i < images.n; ++i) {
    images.pixels.push_back(std::uint8_t(i));
    images.labels.push_back(i / 50);
  }
  const data::Shuffled all(std::make_unique<data::Memory>(images), 1000),
      few(std::make_unique<data::Memory>(images), 50);
  REQUIRE(all.size() == 200);
  REQUIRE(few.size() == 50);
  std::vector<std::int32_t> seen;
  std::vector<bool> used(200);
  for (std::uint32_t id = 0; id < 200; ++id) {
    const std::size_t origin = all.origin(id);
    float pixel = -1;
    all.sample(id, {}, {}, &pixel);
    CHECK(pixel == float(origin) / 255);
    CHECK(all.label(id) == images.labels[origin]);
    if (id < 50) CHECK(few.origin(id) == origin);
    used[origin] = true;
    seen.push_back(all.label(id));
  }
  CHECK(std::count(used.begin(), used.end(), true) == 200);
  CHECK(is_mixed(seen, 4));
  const data::Part part(all, 10, 5);
  CHECK(part.origin(2) == all.origin(12));
  CHECK(few.fingerprint() != all.fingerprint());
}
