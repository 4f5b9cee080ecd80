// CIFAR: small files of the format, whole and broken. Batches: order, augmentation, values.
#include "rnx/data.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "support/error_of.hpp"
#include "support/folder.hpp"

namespace {

using namespace rnx;
using data::Images;
using data::Split;
namespace fs = std::filesystem;

struct Folder : support::Folder {
  Folder() : support::Folder("cifar") {}
};

/// Byte of plane c, pixel p in record r: recognisable in any order.
char pixel(int r, int c, int p) { return char((r * 101 + c * 37 + p * 7) & 255); }

std::string record(int r, const std::string& labels) {
  std::string bytes = labels;
  for (int c = 0; c < 3; ++c)
    for (int p = 0; p < 1024; ++p) bytes += pixel(r, c, p);
  return bytes;
}

std::string records(int first, int count, int classes = 10) {
  std::string bytes;
  for (int r = first; r < first + count; ++r) bytes += record(r, std::string(1, char(r % classes)));
  return bytes;
}

template <class E = FileError, class F> std::string error_of(F&& f) {
  return support::error_of<E>(f);
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// n images of h x w x c with recognisable bytes, never 0.
Images images_of(int n, Dims dims) {
  Images images;
  images.n = n;
  images.dims = dims;
  images.classes = 10;
  for (std::size_t i = 0; i < n * dims.count(); ++i)
    images.pixels.push_back(std::uint8_t(1 + (i * 53 + i / 255) % 255));
  for (int i = 0; i < n; ++i) images.labels.push_back(i % 10);
  return images;
}

}  // namespace

TEST_CASE("CIFAR-10: pixels, labels, names, prefixes and limits") {
  const Folder folder;
  folder.write("data_batch_1.bin", records(0, 3));
  Images images = data::load_cifar10(folder.path, Split::train);
  CHECK(images.n == 3);
  CHECK(images.dims == Dims{3, 32, 32});
  CHECK(images.classes == 10);
  CHECK(images.labels == std::vector<std::int32_t>{0, 1, 2});
  CHECK(images.class_names[9] == "truck");
  REQUIRE(images.pixels.size() == 3 * 3072);
  int wrong = 0;
  for (int r = 0; r < 3; ++r)
    for (int p = 0; p < 1024; ++p)
      for (int c = 0; c < 3; ++c)
        wrong += images.pixels[(r * 1024 + p) * 3 + c] != std::uint8_t(pixel(r, c, p));
  CHECK(wrong == 0);

  folder.write("data_batch_2.bin", records(3, 4));
  folder.write("test_batch.bin", records(7, 2));
  folder.write("batches.meta.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\r\n\n");
  images = data::load_cifar10(folder.path, Split::train);
  CHECK(images.labels == std::vector<std::int32_t>{0, 1, 2, 3, 4, 5, 6});
  CHECK(images.pixels[3 * 3072] == std::uint8_t(pixel(3, 0, 0)));
  CHECK(images.class_names ==
        std::vector<std::string>{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"});
  CHECK(data::load_cifar10(folder.path, Split::test).labels == std::vector<std::int32_t>{7, 8});
  for (const int limit : {1, 3, 5, 7, 100}) {
    images = data::load_cifar10(folder.path, Split::train, limit);
    CHECK(images.n == std::min(limit, 7));
    CHECK(images.pixels.size() == images.n * 3072u);
    CHECK(int(images.labels.size()) == images.n);
  }
  // what lies behind the limit is not read
  folder.write("data_batch_2.bin", "broken");
  CHECK(data::load_cifar10(folder.path, Split::train, 3).n == 3);
}

TEST_CASE("CIFAR-10: each fault gives its sentence") {
  const Folder folder;
  const auto train = [&] {
    return error_of([&] { data::load_cifar10(folder.path, Split::train); });
  };
  const auto in = [&](const std::string& name) {
    return (folder.path / name).string() + ": expected ";
  };
  CHECK(error_of([&] { data::load_cifar10(folder.path / "none", Split::test); }) ==
        in("none") +
            "a folder with the binary version of CIFAR-10 (data_batch_1.bin to data_batch_5.bin, "
            "test_batch.bin), "
            "found no such folder");
  folder.write("file", "x");
  CHECK(contains(error_of([&] { data::load_cifar10(folder.path / "file", Split::test); }),
                 "test_batch.bin), found a file"));
  CHECK(contains(train(), in("data_batch_1.bin") + "the binary version of CIFAR-10"));
  CHECK(contains(error_of([&] { data::load_cifar10(folder.path, Split::test); }),
                 in("test_batch.bin") + "the binary version"));
  folder.write("data_batch_3.bin", records(0, 1));
  CHECK(train() == in("data_batch_1.bin") + "it before data_batch_3.bin, found no such file");
  folder.write("data_batch_1.bin", records(0, 1));
  CHECK(train() == in("data_batch_2.bin") + "it before data_batch_3.bin, found no such file");
  folder.write("data_batch_2.bin", "");
  CHECK(train() == in("data_batch_2.bin") + "a multiple of 3073 bytes, found an empty file");
  folder.write("data_batch_2.bin", records(0, 2).substr(1));
  CHECK(train() == in("data_batch_2.bin") + "a multiple of 3073 bytes, found 6145");
  folder.write("data_batch_2.bin", records(0, 12, 12));
  CHECK(train() == in("data_batch_2.bin") + "a label below 10, found 10 in record 10");
  folder.write("data_batch_2.bin", records(0, 1));
  folder.write("batches.meta.txt", "airplane\nautomobile\n");
  CHECK(train() == in("batches.meta.txt") + "10 names, one in a line, found 2");
  folder.write("batches.meta.txt", std::string(1 << 17, 'a'));
  CHECK(train() == in("batches.meta.txt") + "a few names, found 131072 bytes");
  fs::remove(folder.path / "batches.meta.txt");
  fs::create_directories(folder.path / "test_batch.bin");
  CHECK(error_of([&] { data::load_cifar10(folder.path, Split::test); }) ==
        in("test_batch.bin") + "a file, found a folder");
  CHECK(train() == "no error");
}

TEST_CASE("CIFAR-100: fine and coarse labels") {
  const Folder folder;
  folder.write("train.bin", record(0, {19, 99}) + record(1, {3, 42}));
  folder.write("test.bin", record(0, {20, 100}));
  std::string names;
  for (int i = 0; i < 20; ++i) names += "group" + std::to_string(i) + "\n";
  folder.write("coarse_label_names.txt", names);
  const Images fine = data::load_cifar100(folder.path, Split::train);
  CHECK(fine.labels == std::vector<std::int32_t>{99, 42});
  CHECK(fine.classes == 100);
  CHECK(fine.class_names.empty());
  CHECK(fine.pixels[3072 + 4] == std::uint8_t(pixel(1, 1, 1)));
  const Images coarse =
      data::load_cifar100(folder.path, Split::train, 1, data::CifarLabels::coarse);
  CHECK(coarse.labels == std::vector<std::int32_t>{19});
  CHECK(coarse.classes == 20);
  CHECK(coarse.class_names[19] == "group19");
  const auto test = [&](data::CifarLabels labels) {
    return error_of([&] { data::load_cifar100(folder.path, Split::test, 0, labels); });
  };
  CHECK(contains(test(data::CifarLabels::fine),
                 "test.bin: expected a label below 100, found 100 in record 0"));
  CHECK(contains(test(data::CifarLabels::coarse), "a label below 20, found 20"));
  folder.write("test.bin", records(0, 1));
  CHECK(contains(test(data::CifarLabels::fine), "a multiple of 3074 bytes, found 3073"));
  fs::remove(folder.path / "train.bin");
  CHECK(contains(error_of([&] { data::load_cifar100(folder.path, Split::train); }),
                 "train.bin: expected the binary version of CIFAR-100"));
}

TEST_CASE("the order of an epoch is a permutation, and each is as likely") {
  const auto order = data::epoch_order(1000, 1, 2);
  CHECK(std::set<std::uint32_t>(order.begin(), order.end()).size() == 1000);
  CHECK(*std::ranges::max_element(order) == 999);
  CHECK(order == data::epoch_order(1000, 1, 2));
  CHECK(order != data::epoch_order(1000, 1, 3));
  CHECK(order != data::epoch_order(1000, 2, 2));
  CHECK(data::epoch_order(0, 1, 1).empty());
  CHECK(data::epoch_order(1, 1, 1) == std::vector<std::uint32_t>{0});

  std::map<std::vector<std::uint32_t>, int> counts;
  for (int epoch = 0; epoch < 24000; ++epoch) ++counts[data::epoch_order(4, 7, epoch)];
  CHECK(counts.size() == 24);
  double chi2 = 0;
  for (const auto& [_, count] : counts) chi2 += (count - 1000.0) * (count - 1000.0) / 1000;
  CHECK(chi2 < 49.7);  // 23 degrees of freedom, p = 0.001; the counts are the same in every run
}

TEST_CASE("numbers below n without bias") {
  // n = 3 * 2^30: without rejection the first third of the range would come up twice as often as it
  // does
  const rng::Stream stream(3, Purpose::test);
  std::uint64_t index = 0;
  int third[3] = {};
  const std::uint32_t n = 3u << 30;
  for (int i = 0; i < 30000; ++i) {
    const std::uint32_t value = data::detail::below(stream, index, n);
    REQUIRE(value < n);
    ++third[value >> 30];
  }
  CHECK(index > 39000);  // a quarter is rejected
  for (const int count : third) CHECK(std::abs(count - 10000) < 300);
}

TEST_CASE("a batch without augmentation is byte / 255") {
  Images images = images_of(5, {3, 4, 6});
  const std::vector<std::uint32_t> ids{4, 0, 4};
  std::vector<float> out(3 * 72, -1);
  std::vector<std::int32_t> labels(3, -1);
  data::make_batch(images, ids, {}, {1, 1}, out.data(), labels.data());
  CHECK(labels == std::vector<std::int32_t>{4, 0, 4});
  for (std::size_t i = 0; i < out.size(); ++i)
    CHECK(out[i] == float(images.pixels[ids[i / 72] * 72 + i % 72]) / 255.0f);
  images.labels.clear();
  data::make_batch(images, ids, {}, {1, 1}, out.data(), labels.data());
  CHECK(labels == std::vector<std::int32_t>(3, data::no_label));
}

TEST_CASE("batches refuse what does not fit") {
  Images images = images_of(3, {3, 2, 2});
  std::vector<float> out(12);
  const auto refused = [&](std::uint32_t id) {
    return error_of<UsageError>(
        [&] { data::make_batch(images, std::span(&id, 1), {}, {}, out.data(), nullptr); });
  };
  CHECK(refused(3) == "make_batch: expected ids below 3, found 3");
  images.labels.pop_back();
  CHECK(refused(0) ==
        "make_batch: expected pixels and labels of 3 images (3, 2, 2), found 36 and 2");
}
