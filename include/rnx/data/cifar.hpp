// CIFAR-10 and CIFAR-100 in their binary version (https://www.cs.toronto.edu/~kriz/cifar.html):
// records of one label byte (CIFAR-100: coarse, then fine) and 3072 bytes, planes R, G, B of 32 x
// 32. Sizes are checked before memory is allocated.
#pragma once

#include <algorithm>
#include <climits>

#include "rnx/data/files.hpp"
#include "rnx/data/images.hpp"

namespace rnx::inline RNX_ISA::data {

/// Which of the two labels of CIFAR-100: 100 classes, or the 20 superclasses.
enum class CifarLabels { fine, coarse };

namespace detail {

/// What one version of the format looks like: `labels` bytes before the pixels, of which number
/// `at` is the label.
struct CifarFormat {
  int labels, at, classes;
  const char* names;
};

inline constexpr int cifar_pixels = 1024;

/// Appends up to `limit` images of one file, an io::InputFile or io::InputBytes.
template <class Input>
void read_cifar(Input&& file, const CifarFormat& format, std::size_t limit, Images& images) {
  const std::size_t record = format.labels + 3 * cifar_pixels;
  const auto expect = [&](bool condition, const auto& sentence) {
    require<FileError>(condition, [&] { return file.what() + ": expected " + sentence(); });
  };
  expect(file.size() > 0 && file.size() % record == 0, [&] {
    return "a multiple of " + std::to_string(record) + " bytes, found " +
           (file.size() ? std::to_string(file.size()) : "an empty file");
  });
  const std::size_t count = std::min<std::size_t>(limit, file.size() / record), first = images.n;
  expect(first + count <= INT_MAX,
         [&] { return "fewer than 2^31 images, found " + std::to_string(first + count); });
  images.pixels.resize((first + count) * 3 * cifar_pixels);
  images.labels.reserve(first + count);
  std::uint8_t bytes[2 + 3 * cifar_pixels];
  for (std::size_t r = 0; r < count; ++r) {
    file.read(bytes, record);
    const int label = bytes[format.at];
    expect(label < format.classes, [&] {
      return "a label below " + std::to_string(format.classes) + ", found " +
             std::to_string(label) + " in record " + std::to_string(r);
    });
    images.labels.push_back(label);
    std::uint8_t* to = images.pixels.data() + (first + r) * 3 * cifar_pixels;
    for (int p = 0; p < cifar_pixels; ++p)
      for (int c = 0; c < 3; ++c) to[3 * p + c] = bytes[format.labels + c * cifar_pixels + p];
  }
  images.n = static_cast<int>(first + count);
}

}  // namespace detail

/// CIFAR-10 from `dir`: data_batch_1.bin .. data_batch_5.bin or the first few of them (train),
/// test_batch.bin (test); class names from batches.meta.txt where it is there. At most `limit`
/// images (0: all), in the files' order.
/// Errors: FileError (a missing folder or file, a size that is no multiple of 3073, a label above
/// 9, not ten names).
inline Images load_cifar10(const std::filesystem::path& dir, Split split, std::size_t limit = 0) {
  const detail::CifarFormat format{1, 0, 10, "batches.meta.txt"};
  const char* content =
      "the binary version of CIFAR-10 (data_batch_1.bin to data_batch_5.bin, test_batch.bin)";
  detail::require_folder(dir, content);
  std::vector<std::filesystem::path> files;
  if (split == Split::test) files.push_back(dir / "test_batch.bin");
  for (int k = 1, missing = 0; split == Split::train && k <= 5; ++k) {
    const auto file = dir / ("data_batch_" + std::to_string(k) + ".bin");
    if (!detail::present(file)) {
      missing = missing ? missing : k;
      continue;
    }
    if (missing)
      detail::require_file(dir / ("data_batch_" + std::to_string(missing) + ".bin"),
                           "it before " + file.filename().string());
    files.push_back(file);
  }
  if (files.empty()) files.push_back(dir / "data_batch_1.bin");
  detail::require_file(files[0], content);
  Images images{.n = 0,
                .dims = {3, 32, 32},
                .classes = format.classes,
                .pixels = {},
                .labels = {},
                .class_names = {}};
  images.class_names = detail::class_names(dir / format.names, format.classes);
  if (images.class_names.empty())
    images.class_names = {"airplane", "automobile", "bird",  "cat",  "deer",
                          "dog",      "frog",       "horse", "ship", "truck"};
  for (const auto& file : files)
    if (const std::size_t left = limit ? limit - images.n : SIZE_MAX)
      detail::read_cifar(io::InputFile(file), format, left, images);
  return images;
}

/// CIFAR-100 from `dir`: train.bin or test.bin; class names from fine_label_names.txt or
/// coarse_label_names.txt where they are there. At most `limit` images (0: all). Errors: FileError,
/// as load_cifar10 (records of 3074 bytes, labels below 100 and 20).
inline Images load_cifar100(const std::filesystem::path& dir, Split split, std::size_t limit = 0,
                            CifarLabels labels = CifarLabels::fine) {
  const detail::CifarFormat format = labels == CifarLabels::fine
                                         ? detail::CifarFormat{2, 1, 100, "fine_label_names.txt"}
                                         : detail::CifarFormat{2, 0, 20, "coarse_label_names.txt"};
  const char* content = "the binary version of CIFAR-100 (train.bin, test.bin)";
  const auto file = dir / (split == Split::train ? "train.bin" : "test.bin");
  detail::require_folder(dir, content);
  detail::require_file(file, content);
  Images images{.n = 0,
                .dims = {3, 32, 32},
                .classes = format.classes,
                .pixels = {},
                .labels = {},
                .class_names = {}};
  images.class_names = detail::class_names(dir / format.names, format.classes);
  detail::read_cifar(io::InputFile(file), format, limit ? limit : SIZE_MAX, images);
  return images;
}

}  // namespace rnx::inline RNX_ISA::data
