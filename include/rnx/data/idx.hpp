// The idx files of MNIST and its relatives (http://yann.lecun.com/exdb/mnist): two zero bytes, the
// element type, the number of dimensions, each dimension as four bytes (big-endian), the elements.
// Sizes are checked before memory is allocated.
#pragma once

#include <algorithm>
#include <array>
#include <climits>

#include "rnx/data/files.hpp"
#include "rnx/data/images.hpp"
#include "rnx/io/bytes.hpp"

namespace rnx::inline RNX_ISA::data {

namespace detail {

/// Reads the header of a file of bytes with D dimensions: the dimensions, whose product is what
/// follows in the file.
template <std::size_t D, class Input>
std::array<std::uint32_t, D> idx_header(Input& file, const char* content) {
  const auto expect = [&](bool condition, const auto& sentence) {
    require<FileError>(condition, [&] { return file.what() + ": expected " + sentence(); });
  };
  constexpr std::size_t header = 4 + 4 * D;
  expect(file.size() >= header, [&] {
    return "an idx file of at least " + std::to_string(header) + " bytes, found " +
           std::to_string(file.size());
  });
  unsigned char bytes[header];
  file.read(bytes, header);
  expect(!(bytes[0] == 0x1F && bytes[1] == 0x8B),
         [] { return "an idx file, found a gzip archive: gunzip unpacks it"; });
  expect(bytes[0] == 0 && bytes[1] == 0, [&] {
    return "two zero bytes at the begin of an idx file, found " + std::to_string(bytes[0]) +
           " and " + std::to_string(bytes[1]);
  });
  expect(bytes[2] == 8,
         [&] { return "elements of type 8 (bytes), found type " + std::to_string(bytes[2]); });
  expect(bytes[3] == D, [&] {
    return std::string(content) + " of rank " + std::to_string(D) + ", found rank " +
           std::to_string(bytes[3]);
  });
  std::array<std::uint32_t, D> dims;
  std::string text;
  for (std::size_t d = 0; d < D; ++d) {
    dims[d] = std::uint32_t(bytes[4 + 4 * d]) << 24 | bytes[5 + 4 * d] << 16 |
              bytes[6 + 4 * d] << 8 | bytes[7 + 4 * d];
    text += (d ? " x " : "") + std::to_string(dims[d]);
    expect(dims[d] > 0 && dims[d] <= INT_MAX,
           [&] { return "dimensions from 1 to 2^31 - 1, found " + text; });
  }
  std::uint64_t left =
      file.size() -
      header;  // divided by one dimension after the other: their product may leave 64 bits
  bool exact = true;
  for (const std::uint32_t d : dims) {
    exact = exact && left % d == 0;
    left /= d;
  }
  expect(exact && left == 1, [&] {
    return text + " bytes after the header, found " + std::to_string(file.size() - header);
  });
  return dims;
}

/// At most `limit` images (0: all) of two files, each an io::InputFile or io::InputBytes. Without
/// pixels, they stay empty.
template <class Input>
Images read_idx(Input&& pictures, Input&& numbers, std::size_t limit, bool with_pixels = true) {
  const auto shape = idx_header<3>(pictures, "images");
  const std::uint32_t n = shape[0], count = idx_header<1>(numbers, "labels")[0];
  require<FileError>(n == count, [&] {
    return numbers.what() + ": expected " + std::to_string(n) + " labels, one for each image of " +
           pictures.what() + ", found " + std::to_string(count);
  });
  const std::size_t used = limit ? std::min<std::size_t>(limit, n) : n;
  Images images{.n = int(used), .dims = {1, int(shape[1]), int(shape[2])}, .classes = 10};
  std::vector<std::uint8_t> bytes(n);
  numbers.read(bytes.data(), n);
  images.labels.assign(bytes.begin(), bytes.begin() + used);
  images.classes = std::max(10, *std::max_element(bytes.begin(), bytes.end()) + 1);
  if (!with_pixels) return images;
  images.pixels.resize(used * images.dims.count());
  pictures.read(images.pixels.data(), images.pixels.size());
  return images;
}

inline Images idx_set(const std::filesystem::path& dir, Split split, std::size_t limit,
                      bool with_pixels) {
  const char* content =
      "idx files (train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, "
      "t10k-labels-idx1-ubyte)";
  require_folder(dir, content);
  const auto file = [&](const std::string& name, const std::string& idx) {
    const auto path = dir / (name + "-" + idx), dotted = dir / (name + "." + idx),
               packed = dir / (name + "-" + idx + ".gz");
    if (!present(path) && present(dotted)) return dotted;
    require<FileError>(present(path) || !present(packed), [&] {
      return path.string() + ": expected this file, found " + packed.filename().string() +
             ": gunzip unpacks it";
    });
    require_file(path, content);
    return path;
  };
  const std::string prefix = split == Split::train ? "train" : "t10k";
  const auto pictures = file(prefix + "-images", "idx3-ubyte"),
             numbers = file(prefix + "-labels", "idx1-ubyte");
  Images images = read_idx(io::InputFile(pictures), io::InputFile(numbers), limit, with_pixels);
  images.class_names = class_names(dir / "class_names.txt", images.classes);
  return images;
}

}  // namespace detail

/// MNIST, Fashion-MNIST and others of their format from `dir`: train-images-idx3-ubyte and
/// train-labels-idx1-ubyte (train), t10k-... (test), also with a dot before idx; class names from
/// class_names.txt, one in a line, where it is there. Images have dims (1, h, w). Classes: 10, or
/// the greatest label of the file + 1 where that is more. At most `limit` images (0: all), in the
/// file's order.
/// Errors: FileError (a missing folder or file, a header that does not fit the file's size, other
/// counts of images and labels).
inline Images load_idx(const std::filesystem::path& dir, Split split, std::size_t limit = 0) {
  return detail::idx_set(dir, split, limit, true);
}

/// What load_idx would read, without the pixels: for the price of the labels. Errors: as load_idx.
inline Images describe_idx(const std::filesystem::path& dir, Split split) {
  return detail::idx_set(dir, split, 0, false);
}

}  // namespace rnx::inline RNX_ISA::data
