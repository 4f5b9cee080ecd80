// A folder of JPEG and PNG files as a source: dir/train/CLASS/..., dir/test/CLASS/... (or
// dir/val/CLASS/...). Not a part of rnx/data.hpp: a program that includes this header links
// rnx::images (image.hpp).
#pragma once

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>

#include "rnx/core/checksum.hpp"
#include "rnx/data/image.hpp"
#include "rnx/data/image_list.hpp"
#include "rnx/data/source.hpp"
#include "rnx/kernels/cpu/parallel.hpp"

namespace rnx::inline RNX_ISA::data {
inline namespace RNX_CODECS {

struct ImageFolderOptions {
  Dims dims{3, 32, 32};  ///< of a sample: the crop; 1 or 3 channels
  int resize = 0;        ///< pixels of the shorter side before the crop; 0: the larger of dims' two
  bool skip_unreadable = false;  ///< leave out images that cannot be read instead of throwing
  /// find damaged images at the start by decoding each; false: by their headers, for very large
  /// folders
  bool decode_all = true;
  int threads = 0;  ///< that look at the files, at most host::max_threads; 0: one per core
  /// the classes, in the order of their labels; empty: as ImageList finds them
  std::vector<std::string> class_names{};
};

/// Images that are decoded when they are asked for: the shorter side is resized, then a window is
/// cut out: the centre, or where the augmentation places it. Where the resized image is as large as
/// a sample, that is exactly what Memory does. Classes and files are those of an ImageList. The
/// constructor looks at every file, so that nothing is found out in the middle of a training.
class ImageFolder final : public Source {
 public:
  /// Errors: those of ImageList; FileError (images that cannot be read); UsageError (options; a
  /// format whose library the program does not have).
  ImageFolder(const std::filesystem::path& dir, Split split, const ImageFolderOptions& options = {})
      : options_(checked(options)),
        list_(dir, split, options_.class_names),
        files_(list_.files()) {
    verify();
  }

  std::size_t size() const override { return files_.size(); }
  Dims dims() const override { return options_.dims; }
  int classes() const override { return int(class_names().size()); }
  const std::vector<std::string>& class_names() const override { return list_.class_names(); }
  int label(std::uint32_t id) const override { return at(id).label; }
  /// Errors: FileError (an image that is not there any more, or whose data are damaged).
  void sample(std::uint32_t id, const Augment& augment, const Key& key, float* out) const override {
    views(id, {&augment, 1}, key, {&out, 1});
  }
  void views(std::uint32_t id, std::span<const Augment> augments, Key key,
             std::span<float* const> out) const override {
    const std::string path = (list_.root() / at(id).path).string();
    // twice the size is enough: what is left to reduce still has the filter of resize()
    const Picture picture = decode_image(
        read_file(path), path, {.channels = options_.dims.c, .enough = 2 * options_.resize});
    const long shorter = std::min(picture.h, picture.w), side = options_.resize;
    const Frame frame{
        .h = side * picture.h / shorter, .w = side * picture.w / shorter, .sample = options_.dims};
    Picture part;
    const auto read = [&](const Patch& p) {  // nothing else is resized
      part = resize(picture, frame.h, frame.w,
                    {.top = p.top, .left = p.left, .h = int(p.h), .w = int(p.w)});
      return Patch{.pixels = part.pixels.data(), .top = p.top, .left = p.left, .h = p.h, .w = p.w};
    };
    for (std::size_t k = 0; k < augments.size(); ++k, ++key.view)
      make_sample(frame, augments[k], key, id, read, out[k]);
  }
  /// Of a line each with path, class name and size of every file, not of what is in them.
  std::string fingerprint() const override {
    Checksum checksum;
    for (const File& file : files_)
      checksum.add(file.path + '\n' + class_names()[file.label] + '\n' +
                   std::to_string(file.bytes) + '\n');
    return checksum.text();
  }

  /// Relative to the folder of the split.
  const std::string& path(std::uint32_t id) const { return at(id).path; }
  /// One sentence for each image that was left out; it begins with the path.
  const std::vector<std::string>& skipped() const { return skipped_; }
  /// What the folder holds by names, with the images that were left out and counts of what was
  /// passed over.
  const ImageList& list() const { return list_; }

 private:
  using File = ImageList::File;
  static constexpr std::size_t prefix = 1
                                        << 16;  // bytes in which nearly every image has its header

  const File& at(std::uint32_t id) const {
    require(id < files_.size(), [&] {
      return "ImageFolder: expected ids below " + std::to_string(files_.size()) + ", found " +
             std::to_string(id);
    });
    return files_[id];
  }

  static std::vector<std::byte> read_file(const std::string& path, std::size_t most = SIZE_MAX,
                                          std::uint64_t* size = nullptr) {
    io::InputFile file(path);
    if (size) *size = file.size();
    require<FileError>(file.size() < 1u << 30, [&] {
      return path + ": expected an image of less than 2^30 bytes, found " +
             std::to_string(file.size());
    });
    std::vector<std::byte> bytes(std::min<std::uint64_t>(most, file.size()));
    file.read(bytes.data(), bytes.size());
    return bytes;
  }

  static ImageFolderOptions checked(ImageFolderOptions options) {
    const Dims d = options.dims;
    require(d.valid() && (d.c == 1 || d.c == 3),
            [&] { return "ImageFolder: expected dims of 1 or 3 channels, found " + d.text(); });
    if (options.resize == 0) options.resize = std::max(d.h, d.w);
    require(options.resize >= std::max(d.h, d.w) && options.resize <= 4096, [&] {
      return "ImageFolder: expected a resize from " + std::to_string(std::max(d.h, d.w)) +
             " to 4096, found " + std::to_string(options.resize);
    });
    host::check_threads("ImageFolder: expected threads", options.threads, 0);
    return options;
  }

  /// Throws what is wrong with a file. A header may be longer than the prefix: then the whole file
  /// is read.
  void verify(File& file) const {
    const std::string path = (list_.root() / file.path).string();
    if (options_.decode_all)
      return void(decode_image(read_file(path, SIZE_MAX, &file.bytes), path,
                               {.channels = options_.dims.c, .enough = 2 * options_.resize}));
    const std::vector<std::byte> bytes = read_file(path, prefix, &file.bytes);
    try {
      image_size(bytes, path);
    } catch (const FileError&) {
      if (file.bytes <= prefix) throw;
      image_size(read_file(path), path);
    }
  }

  void verify() {
    std::vector<std::string> faults(files_.size());
    std::vector<std::exception_ptr> other(files_.size());
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
      for (std::size_t i; (i = next++) < files_.size();) {
        try {
          verify(files_[i]);
        } catch (const FileError& error) {
          faults[i] = error.what();
        } catch (...) {
          other[i] = std::current_exception();
          next = files_.size();
        }
      }
    };
    {
      std::vector<std::jthread> threads;
      const int count = options_.threads > 0
                            ? options_.threads
                            : int(std::max(1u, std::thread::hardware_concurrency()));
      try {
        for (int k = 1; k < count && std::size_t(k) < files_.size(); ++k)
          threads.emplace_back(work);
      } catch (const std::system_error&) {  // those that were started, and this one, do the work
      }
      work();
    }
    for (const std::exception_ptr& error : other)
      if (error) std::rethrow_exception(error);
    std::vector<File> readable;
    for (std::size_t i = 0; i < files_.size(); ++i) {
      if (faults[i].empty())
        readable.push_back(std::move(files_[i]));
      else
        skipped_.push_back(std::move(faults[i]));
    }
    require<FileError>(skipped_.empty() || (options_.skip_unreadable && !readable.empty()), [&] {
      return list_.root().string() + ": expected " + std::to_string(files_.size()) +
             " images that can be read, found " + std::to_string(skipped_.size()) +
             " that cannot, the first is " + skipped_[0];
    });
    files_ = std::move(readable);
  }

  ImageFolderOptions options_;
  ImageList list_;
  std::vector<std::string> skipped_;
  std::vector<File> files_;  // those that can be read
};

}  // namespace RNX_CODECS
}  // namespace rnx::inline RNX_ISA::data
