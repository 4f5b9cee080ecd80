// Data sets in .npy files: images channels-last, labels as integers.
#pragma once

#include <algorithm>
#include <climits>
#include <cmath>
#include <utility>

#include "rnx/data/files.hpp"
#include "rnx/data/images.hpp"
#include "rnx/io/npy.hpp"

namespace rnx::inline RNX_ISA::data {

namespace detail {

/// Greatest label + 1. Errors: FileError (not one dimension, a label that is no integer from 0 to
/// 65535).
inline int npy_classes(const io::NpyFile& file, std::vector<std::int32_t>& labels) {
  const auto expect = [&](bool condition, const auto& sentence) {
    require<FileError>(condition, [&] { return file.what() + ": expected " + sentence(); });
  };
  expect(file.shape().size() == 1,
         [&] { return "labels of shape (n,), found " + io::npy_shape_text(file.shape()); });
  const auto take = [&](const auto& values) {
    labels.resize(values.size());
    int classes = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      expect(std::cmp_greater_equal(values[i], 0) && std::cmp_less(values[i], 65536), [&] {
        return "labels from 0 to 65535, found " + std::to_string(values[i]) + " at element " +
               std::to_string(i);
      });
      labels[i] = std::int32_t(values[i]);
      classes = std::max(classes, labels[i] + 1);
    }
    return classes;
  };
  return file.type() == io::NpyType::u8 ? take(file.values<std::uint64_t>())
                                        : take(file.values<std::int64_t>());
}

/// Floating point as bytes: v * 255, which must be an integer to 1/1000, for the rounding of
/// float32.
inline std::vector<std::uint8_t> npy_levels(const io::NpyFile& file) {
  const std::vector<float> values = file.values<float>();
  std::vector<std::uint8_t> bytes(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float level = 255 * values[i], nearest = std::nearbyint(level);
    require<FileError>(level > -0.5f && level < 255.5f && std::abs(level - nearest) <= 1e-3f, [&] {
      const std::string found = number_text(double(values[i]));
      return file.what() +
             ": expected floating-point pixels k / 255 with k from 0 to 255, as images are kept in "
             "bytes, found " +
             found + " at element " + std::to_string(i);
    });
    bytes[i] = std::uint8_t(nearest);
  }
  return bytes;
}

/// The images of two arrays, `classes` of them or more. At most `limit` (0: all).
inline Images npy_images(io::NpyFile pictures, const io::NpyFile& numbers, std::size_t limit,
                         int classes = 0) {
  const std::vector<std::size_t> shape = pictures.shape();
  const auto expect = [&](bool condition, const auto& sentence) {
    require<FileError>(condition, [&] { return pictures.what() + ": expected " + sentence(); });
  };
  const bool fits = shape.size() == 3 || (shape.size() == 4 && shape[3] >= 1 && shape[3] <= 4);
  expect(fits, [&] {
    return "images of shape (n, h, w) or (n, h, w, c) with 1 to 4 channels, found " +
           io::npy_shape_text(shape);
  });
  for (const std::size_t d : shape)
    expect(d > 0 && d <= INT_MAX,
           [&] { return "dimensions from 1 to 2^31 - 1, found " + io::npy_shape_text(shape); });
  using enum io::NpyType;
  expect(pictures.type() == u1 || pictures.type() == f4 || pictures.type() == f8, [&] {
    return "pixels of type |u1, <f4 or <f8, found " + std::string(io::name_of(pictures.type()));
  });
  Images images{.n = int(shape[0]),
                .dims = {shape.size() == 4 ? int(shape[3]) : 1, int(shape[1]), int(shape[2])}};
  images.classes = std::max(classes, npy_classes(numbers, images.labels));
  require<FileError>(images.labels.size() == shape[0], [&] {
    return numbers.what() + ": expected " + std::to_string(shape[0]) +
           " labels, one for each image of " + pictures.what() + ", found " +
           std::to_string(images.labels.size());
  });
  images.pixels = pictures.type() == u1 ? std::move(pictures).take_bytes() : npy_levels(pictures);
  if (limit && limit < shape[0]) {
    images.n = int(limit);
    images.labels.resize(limit);
    images.pixels.resize(limit * images.dims.count());
    images.pixels.shrink_to_fit();
  }
  return images;
}

inline Images npy_set(const std::filesystem::path& dir, Split split, std::size_t limit,
                      bool with_pixels) {
  const char* content =
      "arrays (train_images.npy, train_labels.npy, test_images.npy, test_labels.npy)";
  require_folder(dir, content);
  const std::string own = split == Split::train ? "train" : "test",
                    other = split == Split::train ? "test" : "train";
  const auto pictures = dir / (own + "_images.npy"), numbers = dir / (own + "_labels.npy"),
             others = dir / (other + "_labels.npy");
  require_file(pictures, content);
  require_file(numbers, content);
  std::vector<std::int32_t> unused;
  const int classes = present(others) ? npy_classes(io::NpyFile::read(others), unused) : 0;
  auto read = with_pixels ? io::NpyFile::read(pictures) : io::NpyFile::header(pictures);
  Images images = npy_images(std::move(read), io::NpyFile::read(numbers), limit, classes);
  images.class_names = class_names(dir / "class_names.txt", images.classes);
  return images;
}

}  // namespace detail

/// Images (n, h, w, c), c from 1 to 4, or (n, h, w), of bytes, or of floating point k / 255 with k
/// from 0 to 255: images are kept in bytes, so other values are refused instead of rounded. Labels
/// (n), of any integer type, from 0 to 65535; classes: the greatest + 1. At most `limit` images (0:
/// all).
/// Errors: FileError.
inline Images load_npy(const std::filesystem::path& images, const std::filesystem::path& labels,
                       std::size_t limit = 0) {
  auto pictures = io::NpyFile::read(images);
  return detail::npy_images(std::move(pictures), io::NpyFile::read(labels), limit);
}

/// The same from `dir`: train_images.npy and train_labels.npy (train), test_images.npy and
/// test_labels.npy (test); class names from class_names.txt, one in a line, where it is there.
/// Classes: the greatest label of either split + 1.
inline Images load_npy(const std::filesystem::path& dir, Split split, std::size_t limit = 0) {
  return detail::npy_set(dir, split, limit, true);
}

/// What load_npy would read, without the pixels: for the price of the labels. Errors: as load_npy.
inline Images describe_npy(const std::filesystem::path& dir, Split split) {
  return detail::npy_set(dir, split, 0, false);
}

}  // namespace rnx::inline RNX_ISA::data
