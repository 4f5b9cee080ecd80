// idx files: small ones, whole and broken.
#include "rnx/data/idx.hpp"

#include <doctest/doctest.h>

#include "support/error_of.hpp"
#include "support/folder.hpp"

namespace {

using namespace rnx;
using data::Images;
using data::Split;

/// A file with this header. `dims` are written as four bytes each.
std::string idx(std::vector<std::uint32_t> dims, const std::string& elements, int type = 8) {
  std::string bytes{0, 0, char(type), char(dims.size())};
  for (const std::uint32_t d : dims)
    bytes += {char(d >> 24), char(d >> 16 & 255), char(d >> 8 & 255), char(d & 255)};
  return bytes + elements;
}

std::string pixels(int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes += char(i * 37 & 255);
  return bytes;
}

}  // namespace

TEST_CASE("idx: images, labels, limits and names") {
  const support::Folder folder("idx");
  folder.write("train-images-idx3-ubyte", idx({3, 4, 5}, pixels(60)));
  folder.write("train-labels-idx1-ubyte", idx({3}, {7, 0, 9}));
  folder.write("t10k-images.idx3-ubyte", idx({2, 4, 5}, pixels(40)));
  folder.write("t10k-labels.idx1-ubyte", idx({2}, {1, 25}));
  const Images train = data::load_idx(folder.path, Split::train);
  CHECK(train.n == 3);
  CHECK(train.dims == Dims{1, 4, 5});
  CHECK(train.classes == 10);
  CHECK(train.labels == std::vector<std::int32_t>{7, 0, 9});
  const Images described = data::describe_idx(folder.path, Split::train);
  CHECK((described.n == 3 && described.dims == train.dims && described.classes == 10 &&
         described.labels == train.labels));
  CHECK(described.pixels.empty());
  CHECK(train.class_names.empty());
  REQUIRE(train.pixels.size() == 60);
  CHECK(train.pixels[21] == std::uint8_t(21 * 37));
  for (const int limit : {1, 2, 3, 100}) {
    const Images part = data::load_idx(folder.path, Split::train, limit);
    CHECK(part.n == std::min(limit, 3));
    CHECK(part.pixels ==
          std::vector<std::uint8_t>(train.pixels.begin(), train.pixels.begin() + part.n * 20));
    CHECK(part.labels.size() == std::size_t(part.n));
  }
  const Images test = data::load_idx(folder.path, Split::test, 1);
  CHECK(test.labels == std::vector<std::int32_t>{1});
  CHECK(test.classes == 26);
  folder.write("class_names.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n");
  CHECK(data::load_idx(folder.path, Split::train).class_names[9] == "j");
}

TEST_CASE("idx: each fault gives its sentence") {
  const support::Folder folder("idx_faults");
  const std::string name = "train-images-idx3-ubyte", labels = "train-labels-idx1-ubyte",
                    where = (folder.path / name).string() + ": expected ";
  const auto load = [&] {
    return support::error_of<FileError>([&] { data::load_idx(folder.path, Split::train); });
  };
  const std::string content =
      "idx files (train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, "
      "t10k-labels-idx1-ubyte), found no such ";
  CHECK(support::error_of<FileError>([&] { data::load_idx(folder.path / "none", Split::test); }) ==
        (folder.path / "none").string() + ": expected a folder with " + content + "folder");
  CHECK(load() == where + content + "file");
  folder.write(name + ".gz", "\x1f\x8b");
  CHECK(load() == where + "this file, found train-images-idx3-ubyte.gz: gunzip unpacks it");
  folder.write(labels, idx({3}, {7, 0, 9}));
  const auto refused = [&](const std::string& bytes) {
    folder.write(name, bytes);
    const std::string text = load();
    return text.starts_with(where) ? text.substr(where.size()) : text;
  };
  CHECK(refused("") == "an idx file of at least 16 bytes, found 0");
  CHECK(refused(idx({3, 4, 5}, "").substr(0, 15)) == "an idx file of at least 16 bytes, found 15");
  CHECK(refused("\x1f\x8b________________") ==
        "an idx file, found a gzip archive: gunzip unpacks it");
  CHECK(refused("PK______________") ==
        "two zero bytes at the begin of an idx file, found 80 and 75");
  CHECK(refused(idx({3, 4, 5}, pixels(60), 13)) == "elements of type 8 (bytes), found type 13");
  CHECK(refused(idx({3, 4, 5, 1}, pixels(60))) == "images of rank 3, found rank 4");
  CHECK(refused(idx({3, 4, 5}, pixels(59))) == "3 x 4 x 5 bytes after the header, found 59");
  CHECK(refused(idx({3, 4, 5}, pixels(61))) == "3 x 4 x 5 bytes after the header, found 61");
  CHECK(refused(idx({0, 4, 5}, "")) == "dimensions from 1 to 2^31 - 1, found 0");
  CHECK(refused(idx({3, 4, 0xFFFFFFFF}, "")) ==
        "dimensions from 1 to 2^31 - 1, found 3 x 4 x 4294967295");
  // a product of 2^32 * 2^31 is 0 in 64 bits
  CHECK(refused(idx({1u << 30, 1u << 30, 1u << 30}, "")) ==
        "1073741824 x 1073741824 x 1073741824 bytes after the header, found 0");
  CHECK(refused(idx({2, 4, 5}, pixels(40))) == (folder.path / labels).string() +
                                                   ": expected 2 labels, one for each image of " +
                                                   (folder.path / name).string() + ", found 3");
  folder.write(labels, idx({2, 1}, {7, 0}));
  CHECK(load() == (folder.path / labels).string() + ": expected labels of rank 1, found rank 2");
  folder.write(labels, idx({2}, {7, 0}));
  folder.write("class_names.txt", "a\n");
  CHECK(load() ==
        (folder.path / "class_names.txt").string() + ": expected 10 names, one in a line, found 1");
}
