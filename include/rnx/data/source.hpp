// Where samples come from: a data set in memory, a folder of images, a part of either.
#pragma once

#include <memory>

#include "rnx/core/checksum.hpp"
#include "rnx/data/batch.hpp"

namespace rnx::inline RNX_ISA::data {

/// n labelled images of one shape. sample() may be called by several threads at once.
class Source {
 public:
  virtual ~Source() = default;

  virtual std::size_t size() const = 0;
  virtual Dims dims() const = 0;
  virtual int classes() const = 0;
  /// (classes), or empty where the data set does not tell.
  virtual const std::vector<std::string>& class_names() const = 0;
  /// In [0, classes()).
  virtual int label(std::uint32_t id) const = 0;
  /// The number of sample `id` in the order of the data set's files, from 0: other than `id` in a
  /// part or a shuffled source.
  virtual std::size_t origin(std::uint32_t id) const { return id; }
  /// Writes sample `id`, (h, w, c) in [0, 1]. `augment` null: as it is. What is drawn depends on
  /// (seed, epoch, id) alone.
  /// Errors: UsageError (an id that is not there), FileError (an image that cannot be read any
  /// more).
  virtual void sample(std::uint32_t id, const Augment* augment, std::uint64_t seed,
                      std::uint64_t epoch, float* out) const = 0;
  /// What tells this data set from another one: the Checksum of labels and pixels, or of names and
  /// sizes of files.
  virtual std::string fingerprint() const = 0;
};

/// A data set in memory. The images are not copied: they must outlive it.
class Memory final : public Source {
 public:
  explicit Memory(const Images& images) : images_(images) {}

  std::size_t size() const override { return images_.n; }
  Dims dims() const override { return images_.dims; }
  int classes() const override { return images_.classes; }
  const std::vector<std::string>& class_names() const override { return images_.class_names; }
  int label(std::uint32_t id) const override { return images_.labels.at(id); }
  void sample(std::uint32_t id, const Augment* augment, std::uint64_t seed, std::uint64_t epoch,
              float* out) const override {
    make_batch(images_, std::span(&id, 1), augment, seed, epoch, out, nullptr);
  }
  /// Of the labels as they lie in memory (int32, little-endian), then of the pixels.
  std::string fingerprint() const override {
    return Checksum()
        .add(images_.labels.data(), images_.labels.size() * sizeof(images_.labels[0]))
        .add(images_.pixels.data(), images_.pixels.size())
        .text();
  }

 private:
  const Images& images_;
};

/// Samples first .. first + count of another source, which must outlive it. Errors: UsageError (a
/// part that is not there).
class Part final : public Source {
 public:
  Part(const Source& whole, std::size_t first, std::size_t count)
      : whole_(whole),
        first_(first),
        count_(count) {
    require(first <= whole.size() && count <= whole.size() - first, [&] {
      return "Part: expected a part of " + std::to_string(whole.size()) + " samples, found " +
             std::to_string(first) + " to " + std::to_string(first + count);
    });
  }

  std::size_t size() const override { return count_; }
  Dims dims() const override { return whole_.dims(); }
  int classes() const override { return whole_.classes(); }
  const std::vector<std::string>& class_names() const override { return whole_.class_names(); }
  int label(std::uint32_t id) const override { return whole_.label(at(id)); }
  std::size_t origin(std::uint32_t id) const override { return whole_.origin(at(id)); }
  void sample(std::uint32_t id, const Augment* augment, std::uint64_t seed, std::uint64_t epoch,
              float* out) const override {
    whole_.sample(at(id), augment, seed, epoch, out);
  }
  std::string fingerprint() const override {
    return whole_.fingerprint() + "[" + std::to_string(first_) + ":" +
           std::to_string(first_ + count_) + "]";
  }

 private:
  std::uint32_t at(std::uint32_t id) const {
    require(id < count_, [&] {
      return "Part: expected ids below " + std::to_string(count_) + ", found " + std::to_string(id);
    });
    return std::uint32_t(first_ + id);
  }
  const Source& whole_;
  std::size_t first_, count_;
};

}  // namespace rnx::inline RNX_ISA::data
