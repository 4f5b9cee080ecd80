// Selections of sources: parts, lists, as many of each class, super-classes; composed, told apart,
// and what they refuse.
#include "rnx/data/selection.hpp"

#include <doctest/doctest.h>

#include <set>

#include "rnx/data/grouped.hpp"
#include "rnx/data/loader.hpp"
#include "rnx/data/shuffled.hpp"
#include "rnx/data/statistics.hpp"
#include "support/error_of.hpp"

using namespace rnx;
using data::Balanced;
using data::Group;
using data::Grouped;
using data::Memory;
using data::Part;
using data::Subset;
using support::error_of;

namespace {

/// Image i has label of(i) and shows i.
template <class F> data::Images images_of(int n, int classes, F of) {
  data::Images images{.n = n, .dims = {1, 1, 2}, .classes = classes};
  for (int i = 0; i < n; ++i) {
    images.pixels.push_back(std::uint8_t(i));
    images.pixels.push_back(std::uint8_t(255 - i));
    images.labels.push_back(of(i));
  }
  return images;
}

std::vector<int> shown(const data::Source& source) {
  std::vector<int> all;
  for (std::uint32_t id = 0; id < source.size(); ++id) {
    float x[2];
    source.sample(id, {}, {}, x);
    all.push_back(int(std::lround(255 * x[0])));
    CHECK(source.origin(id) == std::size_t(all.back()));
  }
  return all;
}
std::vector<int> labels(const data::Source& source) {
  std::vector<int> all;
  for (std::uint32_t id = 0; id < source.size(); ++id) all.push_back(source.label(id));
  return all;
}

}  // namespace

TEST_CASE("Subset: the listed samples in the list's order, with the whole's draws") {
  const data::Images images = images_of(20, 4, [](int i) { return i % 4; });
  const Memory whole(images);
  const Subset some(whole, {7, 3, 19});
  CHECK(shown(some) == std::vector{7, 3, 19});
  CHECK(labels(some) == std::vector{3, 3, 3});
  CHECK(some.classes() == 4);
  for (std::uint64_t epoch = 0; epoch < 9; ++epoch) {
    float x[2], y[2];
    some.sample(2, data::HorizontalFlip{}, {1, epoch}, x);
    whole.sample(19, data::HorizontalFlip{}, {1, epoch}, y);
    CHECK(x[0] == y[0]);
  }
  const auto refused = [&](std::vector<std::uint32_t> ids) {
    return error_of<UsageError>([&] { Subset(whole, ids); });
  };
  CHECK(refused({1, 20}) == "Subset: expected ids below 20, found 20");
  CHECK(refused({5, 1, 5}) == "Subset: expected each id once, found 5 twice");
  CHECK(error_of<UsageError>([&] { some.label(3); }) == "Subset: expected ids below 3, found 3");
  CHECK(Subset(whole, {}).size() == 0);
}

TEST_CASE("Balanced: as many of each class, the first or drawn ones") {
  const data::Images images = images_of(200, 4, [](int i) { return i < 150 ? i % 4 : 0; });
  const Memory whole(images);
  const Balanced first(whole, 2), drawn(whole, 20, 7), again(whole, 20, 7), other(whole, 20, 8);
  CHECK(shown(first) == std::vector{0, 1, 2, 3, 4, 5, 6, 7});
  for (const Balanced* b : {&drawn, &other}) {
    const std::vector<int> all = labels(*b);
    for (int c = 0; c < 4; ++c) CHECK(std::count(all.begin(), all.end(), c) == 20);
    const std::vector<int> images_shown = shown(*b);
    CHECK(std::set<int>(images_shown.begin(), images_shown.end()).size() == 80);
    CHECK(std::is_sorted(images_shown.begin(), images_shown.end()));
    CHECK(images_shown.back() > 100);
  }
  CHECK(shown(drawn) == shown(again));
  CHECK(shown(drawn) != shown(other));
  CHECK(error_of<UsageError>([&] { Balanced(whole, 38); }) ==
        "Balanced: expected 38 samples of each class, found 37 of class 2");
  data::Images named = images;
  named.class_names = {"ant", "bee", "cat", "dog"};
  const Memory with_names(named);
  CHECK(error_of<UsageError>([&] { Balanced(with_names, 38, 1); }) ==
        "Balanced: expected 38 samples of each class, found 37 of class 2 (cat)");
  CHECK(error_of<UsageError>([&] { Balanced(whole, 0); }) ==
        "Balanced: expected at least 1 sample of each class, found 0");
}

TEST_CASE("Grouped: classes become groups, others are left out") {
  const data::Images images = images_of(30, 10, [](int i) { return i % 10; });
  const Memory whole(images);
  const Grouped two(whole, {{"odd", {1, 3, 9}}, {"low", data::class_range(4, 5)}});
  CHECK(two.classes() == 2);
  CHECK(two.class_names() == std::vector<std::string>{"odd", "low"});
  CHECK(shown(two) == std::vector{1, 3, 4, 5, 9, 11, 13, 14, 15, 19, 21, 23, 24, 25, 29});
  CHECK(labels(two) == std::vector{0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0});
  const auto refused = [&](std::vector<Group> groups) {
    return error_of<UsageError>([&] { Grouped(whole, groups); });
  };
  CHECK(refused({}) == "Grouped: expected groups of classes, found none");
  CHECK(refused({{"a", {1}}, {"b", {}}}) == "Grouped: expected classes in group b, found none");
  CHECK(refused({{"a", data::class_range(5, 4)}}) ==
        "Grouped: expected classes in group a, found none");
  CHECK(refused({{"a", {1, 2}}, {"b", {3, 2}}}) ==
        "Grouped: expected each class in one group, found 2 in a and in b");
  CHECK(refused({{"a", {1}}, {"a", {2}}}) == "Grouped: expected each group once, found a twice");
  CHECK(refused({{"a", {10}}}) == "Grouped: expected classes below 10, found 10 in group a");
  CHECK(refused({{"a", {-1}}}) == "Grouped: expected classes below 10, found -1 in group a");
  const Part little(whole, 0, 3);
  CHECK(error_of<UsageError>([&] {
          Grouped(little, {{"a", {7}}});
        }) == "Grouped: expected samples of the groups' classes, found none in 3 samples");
}

TEST_CASE("Restricted ImageNet: nine groups of ImageNet's classes") {
  const auto groups = data::restricted_imagenet();
  REQUIRE(groups.size() == 9);
  const std::vector<std::size_t> sizes{118, 5, 3, 5, 21, 18, 9, 4, 20};
  for (std::size_t g = 0; g < 9; ++g) CHECK(groups[g].classes.size() == sizes[g]);
  const data::Images images = images_of(1000, 1000, [](int i) { return i; });
  const Memory whole(images);
  const Grouped restricted(whole, groups);
  CHECK(restricted.size() == 203);
  CHECK(restricted.label(0) == 2);  // class 30, a frog
}

TEST_CASE("selections of selections: composed in any order, owned or not, told apart") {
  const data::Images images = images_of(60, 6, [](int i) { return i % 6; });
  const Memory whole(images);
  const std::vector<Group> halves{{"low", {0, 1, 2}}, {"high", {3, 4, 5}}},
      thirds{{"a", {0, 1}}, {"b", {2, 3}}, {"c", {4, 5}}}, swapped{halves[1], halves[0]};
  const Grouped grouped(whole, halves);
  const Balanced balanced(grouped, 5);
  const Part part(balanced, 2, 6);
  CHECK(labels(part) == std::vector{0, 1, 1, 1, 0, 0});
  CHECK(shown(part) == std::vector{2, 3, 4, 5, 6, 7});
  const Subset owned(std::make_unique<data::Shuffled>(std::make_unique<Memory>(images), 40),
                     {0, 5, 1});
  CHECK(owned.size() == 3);
  CHECK(shown(owned).size() == 3);
  const Memory moved(data::Images{images});
  CHECK(moved.fingerprint() == whole.fingerprint());
  data::Loader loader(part, {.batch = 4, .views = {data::Augment{}}, .shuffle = false});
  const data::Batch& batch = loader.next();
  CHECK(batch.ids == std::vector<std::uint32_t>{0, 1, 2, 3});
  CHECK(batch.labels == std::vector<std::int32_t>{0, 1, 1, 1});
  CHECK(error_of<UsageError>([] { Part(std::unique_ptr<Memory>(), 0, 0); }) ==
        "Whole: expected a source, found a null pointer");

  std::set<std::string> prints;
  const std::vector<std::string> all{whole.fingerprint(),
                                     part.fingerprint(),
                                     balanced.fingerprint(),
                                     grouped.fingerprint(),
                                     owned.fingerprint(),
                                     Grouped(whole, thirds).fingerprint(),
                                     Grouped(whole, swapped).fingerprint(),
                                     Balanced(whole, 5).fingerprint(),
                                     Balanced(whole, 5, 0).fingerprint(),
                                     Balanced(whole, 5, 1).fingerprint(),
                                     Balanced(whole, 6).fingerprint(),
                                     Subset(whole, {1, 2}).fingerprint(),
                                     Subset(whole, {2, 1}).fingerprint(),
                                     Subset(whole, {12}).fingerprint(),
                                     Subset(grouped, {1, 2}).fingerprint(),
                                     Part(whole, 1, 2).fingerprint(),
                                     Part(whole, 0, 60).fingerprint(),
                                     data::Shuffled(whole, 60).fingerprint()};
  for (const std::string& print : all) CHECK(prints.insert(print).second);
  CHECK(Part(whole, 1, 2).fingerprint() == whole.fingerprint() + "[1:3]");
  CHECK(data::Shuffled(whole, 99).fingerprint() == whole.fingerprint() + "[shuffled:60]");
}

TEST_CASE("samples without labels: known as such, and refused where classes are needed") {
  data::Images images = images_of(100, 0, [](int i) { return i; });
  images.labels.clear();
  const Memory whole(images);
  CHECK(whole.label(5) == data::no_label);
  data::Loader loader(whole, {.batch = 4, .views = {data::Augment{}}});
  CHECK(loader.next().labels == std::vector<std::int32_t>(4, data::no_label));
  CHECK(shown(Subset(whole, {4, 2})) == std::vector{4, 2});
  CHECK(data::statistics(whole, 10).mean[0] == doctest::Approx(0.5).epsilon(0.01));
  CHECK(error_of<UsageError>([&] { Balanced(whole, 1); }) ==
        "Balanced: expected samples with labels, found none of sample 0");
  images.classes = 2;
  images.labels.assign(100, 1);
  images.labels[7] = data::no_label;
  CHECK(error_of<UsageError>([&] {
          Grouped(whole, {{"a", {1}}});
        }) == "Grouped: expected samples with labels, found none of sample 7");
}
