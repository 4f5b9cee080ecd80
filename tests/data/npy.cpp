// Data sets in .npy files.
#include "rnx/data/npy.hpp"

#include <doctest/doctest.h>

#include "support/error_of.hpp"
#include "support/folder.hpp"

namespace {

using namespace rnx;
using data::Images;
using data::Split;
using Sizes = std::vector<std::size_t>;

template <class T, class From>
void write(const support::Folder& folder, const std::string& name, const Sizes& shape,
           const From& values) {
  const std::vector<T> typed(values.begin(), values.end());
  io::write_npy(folder.path / name, shape, typed.data());
}

std::vector<int> bytes(int count) {
  std::vector<int> values;
  for (int i = 0; i < count; ++i) values.push_back(i * 37 & 255);
  return values;
}

}  // namespace

TEST_CASE("npy data: images and labels of each type") {
  const support::Folder folder("data_npy");
  const auto load = [&](std::size_t limit = 0) {
    return data::load_npy(folder.path / "x.npy", folder.path / "y.npy", limit);
  };
  const std::vector<int> values = bytes(3 * 4 * 5 * 2);
  write<std::uint8_t>(folder, "x.npy", {3, 4, 5, 2}, values);
  write<std::int64_t>(folder, "y.npy", {3}, std::vector{4, 0, 2});
  Images images = load();
  CHECK(images.n == 3);
  CHECK(images.dims == Dims{2, 4, 5});
  CHECK(images.classes == 5);
  CHECK(images.labels == std::vector<std::int32_t>{4, 0, 2});
  CHECK(std::vector<int>(images.pixels.begin(), images.pixels.end()) == values);
  images = load(2);
  CHECK(images.n == 2);
  CHECK(images.labels.size() == 2);
  CHECK(images.pixels.size() == 80);
  CHECK(images.classes == 5);

  write<std::uint8_t>(folder, "x.npy", {3, 8, 5}, values);
  write<std::uint8_t>(folder, "y.npy", {3}, std::vector{4, 0, 2});
  CHECK(load().dims == Dims{1, 8, 5});
  CHECK(load().labels == std::vector<std::int32_t>{4, 0, 2});

  // floating point on the 8-bit lattice, as x / 255 and as x * (1 / 255) round it
  std::vector<double> levels, products;
  for (int k = 0; k < 256; ++k) {
    levels.push_back(k / 255.0);
    products.push_back(float(k) * (1 / 255.0f));
  }
  const std::vector<int> all = [] {
    std::vector<int> v;
    for (int k = 0; k < 256; ++k) v.push_back(k);
    return v;
  }();
  write<std::int32_t>(folder, "y.npy", {1}, std::vector{0});
  for (const auto& x : {levels, products}) {
    write<float>(folder, "x.npy", {1, 16, 16}, x);
    images = load();
    CHECK(std::vector<int>(images.pixels.begin(), images.pixels.end()) == all);
    write<double>(folder, "x.npy", {1, 16, 16}, x);
    images = load();
    CHECK(std::vector<int>(images.pixels.begin(), images.pixels.end()) == all);
  }
}

TEST_CASE("npy data: labels of every integer type, and none that is out of range") {
  const support::Folder folder("data_npy_labels");
  write<std::uint8_t>(folder, "x.npy", {3, 2, 2}, bytes(12));
  const auto load = [&]<class T>(T) {
    write<T>(folder, "y.npy", {3}, std::vector{4, 0, 2});
    return data::load_npy(folder.path / "x.npy", folder.path / "y.npy").labels;
  };
  const std::vector<std::int32_t> expected{4, 0, 2};
  CHECK(load(std::int8_t()) == expected);
  CHECK(load(std::int16_t()) == expected);
  CHECK(load(std::int32_t()) == expected);
  CHECK(load(std::int64_t()) == expected);
  CHECK(load(std::uint8_t()) == expected);
  CHECK(load(std::uint16_t()) == expected);
  CHECK(load(std::uint32_t()) == expected);
  CHECK(load(std::uint64_t()) == expected);
  const auto refused = [&]<class T>(T greatest) {
    write<T>(folder, "y.npy", {3}, std::vector<T>{0, greatest, 1});
    return support::error_of<FileError>(
        [&] { data::load_npy(folder.path / "x.npy", folder.path / "y.npy"); });
  };
  const std::string begin =
      (folder.path / "y.npy").string() + ": expected labels from 0 to 65535, found ";
  CHECK(refused(std::uint64_t(1) << 63) == begin + "9223372036854775808 at element 1");
  CHECK(refused(std::int64_t(1) << 40) == begin + "1099511627776 at element 1");
  CHECK(refused(std::uint32_t(65536)) == begin + "65536 at element 1");
  CHECK(refused(std::int8_t(-1)) == begin + "-1 at element 1");
}

TEST_CASE("npy data: a folder") {
  const support::Folder folder("data_npy_folder");
  write<std::uint8_t>(folder, "train_images.npy", {2, 2, 2, 3}, bytes(24));
  write<std::uint8_t>(folder, "train_labels.npy", {2}, std::vector{0, 2});
  const auto load = [&](Split split) { return data::load_npy(folder.path, split); };
  CHECK(load(Split::train).classes == 3);
  const std::string content =
      "arrays (train_images.npy, train_labels.npy, test_images.npy, test_labels.npy), found no "
      "such ";
  CHECK(support::error_of<FileError>([&] { load(Split::test); }) ==
        (folder.path / "test_images.npy").string() + ": expected " + content + "file");
  CHECK(support::error_of<FileError>([&] { data::load_npy(folder.path / "none", Split::test); }) ==
        (folder.path / "none").string() + ": expected a folder with " + content + "folder");
  write<std::uint8_t>(folder, "test_images.npy", {1, 2, 2, 3}, bytes(12));
  CHECK(support::error_of<FileError>([&] { load(Split::test); }) ==
        (folder.path / "test_labels.npy").string() + ": expected " + content + "file");
  write<std::uint8_t>(folder, "test_labels.npy", {1}, std::vector{3});
  CHECK(load(Split::train).classes == 4);
  CHECK(load(Split::test).classes == 4);
  CHECK(load(Split::test).n == 1);
  const data::Images described = data::describe_npy(folder.path, Split::test);
  CHECK((described.n == 1 && described.dims == Dims{3, 2, 2} && described.classes == 4 &&
         described.pixels.empty()));
  folder.write("class_names.txt", "cat\ndog\nowl\nbee\n");
  CHECK(load(Split::train).class_names == std::vector<std::string>{"cat", "dog", "owl", "bee"});
}

TEST_CASE("npy data: each fault gives its sentence") {
  const support::Folder folder("data_npy_faults");
  const std::string x = (folder.path / "x.npy").string() + ": expected ",
                    y = (folder.path / "y.npy").string() + ": expected ";
  const auto refused = [&] {
    return support::error_of<FileError>(
        [&] { data::load_npy(folder.path / "x.npy", folder.path / "y.npy"); });
  };
  CHECK(refused() ==
        (folder.path / "x.npy").string() + ": cannot be opened: No such file or directory");
  write<std::int32_t>(folder, "y.npy", {2}, std::vector{0, 1});
  write<std::uint8_t>(folder, "x.npy", {2, 4}, bytes(8));
  CHECK(refused() ==
        x + "images of shape (n, h, w) or (n, h, w, c) with 1 to 4 channels, found (2, 4)");
  write<std::uint8_t>(folder, "x.npy", {2, 3, 5, 5}, bytes(150));  // channels first
  CHECK(refused() ==
        x + "images of shape (n, h, w) or (n, h, w, c) with 1 to 4 channels, found (2, 3, 5, 5)");
  write<std::uint8_t>(folder, "x.npy", {0, 3, 5, 1}, bytes(0));
  CHECK(refused() == x + "dimensions from 1 to 2^31 - 1, found (0, 3, 5, 1)");
  write<std::int16_t>(folder, "x.npy", {2, 2, 2}, bytes(8));
  CHECK(refused() == x + "pixels of type |u1, <f4 or <f8, found <i2");
  write<float>(folder, "x.npy", {2, 2, 2}, std::vector{0.f, 1.f, 0.f, 0.2f, 0.432f, 0.f, 0.f, 0.f});
  CHECK(refused() == x + "floating-point pixels k / 255 with k from 0 to 255, as images are kept "
                         "in bytes, found 0.432000011 at element 4");
  for (const float outside : {-1 / 255.f, 256 / 255.f, 17.f, NAN, INFINITY}) {
    write<float>(folder, "x.npy", {2, 2, 2},
                 std::vector{outside, 1.f, 0.f, 0.2f, 0.f, 0.f, 0.f, 0.f});
    CHECK(refused().starts_with(x + "floating-point pixels"));
  }
  write<std::uint8_t>(folder, "x.npy", {3, 2, 2}, bytes(12));
  CHECK(refused() ==
        y + "3 labels, one for each image of " + (folder.path / "x.npy").string() + ", found 2");
  write<std::int32_t>(folder, "y.npy", {3, 1}, std::vector{0, 1, 2});
  CHECK(refused() == y + "labels of shape (n,), found (3, 1)");
  write<float>(folder, "y.npy", {3}, std::vector{0, 1, 2});
  CHECK(refused() == y + "integers, found <f4");
  write<std::int32_t>(folder, "y.npy", {3}, std::vector{0, -1, 2});
  CHECK(refused() == y + "labels from 0 to 65535, found -1 at element 1");
  write<std::int32_t>(folder, "y.npy", {3}, std::vector{0, 1, 65536});
  CHECK(refused() == y + "labels from 0 to 65535, found 65536 at element 2");
}
