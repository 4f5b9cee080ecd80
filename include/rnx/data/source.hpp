// Where samples come from: a data set in memory, a folder of images, a selection of either
// (selection.hpp).
#pragma once

#include <memory>

#include "rnx/core/checksum.hpp"
#include "rnx/data/batch.hpp"

namespace rnx::inline RNX_ISA::data {

/// n images of one shape, labelled or not. sample() and views() may be called by several threads at
/// once.
class Source {
 public:
  virtual ~Source() = default;

  virtual std::size_t size() const = 0;
  virtual Dims dims() const = 0;
  virtual int classes() const = 0;
  /// (classes), or empty where the data set does not tell.
  virtual const std::vector<std::string>& class_names() const = 0;
  /// In [0, classes()), or no_label.
  virtual int label(std::uint32_t id) const = 0;
  /// The number of sample `id` in the order of the data set's files, from 0: other than `id` in a
  /// part or a shuffled source.
  virtual std::size_t origin(std::uint32_t id) const { return id; }
  /// Writes sample `id`, (h, w, c) in [0, 1], as `augment` makes it. What is drawn depends on the
  /// key and the sample alone; a selection of samples draws what the whole does.
  /// Errors: UsageError (an id that is not there, an operation that cannot work on such samples),
  /// FileError (an image that cannot be read any more).
  virtual void sample(std::uint32_t id, const Augment& augment, const Key& key,
                      float* out) const = 0;
  /// Several views of sample `id`: out[k] is what augments[k] makes of it, with key.view + k. A
  /// source that reads files reads them once.
  virtual void views(std::uint32_t id, std::span<const Augment> augments, Key key,
                     std::span<float* const> out) const {
    for (std::size_t k = 0; k < augments.size(); ++k, ++key.view)
      sample(id, augments[k], key, out[k]);
  }
  /// What tells this data set from another one: the Checksum of labels and pixels, or of names and
  /// sizes of files.
  virtual std::string fingerprint() const = 0;
};

/// Whether every sample has a label.
inline bool has_labels(const Source& source) {
  for (std::size_t id = 0; id < source.size(); ++id)
    if (source.label(std::uint32_t(id)) == no_label) return false;
  return true;
}
/// Errors: UsageError (a sample without a label); `who` begins its sentence.
inline void require_labels(const Source& source, const char* who) {
  for (std::size_t id = 0; id < source.size(); ++id)
    require(source.label(std::uint32_t(id)) != no_label, [&] {
      return std::string(who) + ": expected samples with labels, found none of sample " +
             std::to_string(id);
    });
}

/// A data set in memory: images that must outlive it, or that are moved into it.
class Memory final : public Source {
 public:
  explicit Memory(const Images& images) : images_(std::shared_ptr<void>(), &images) {}
  explicit Memory(Images&& images) : images_(std::make_shared<const Images>(std::move(images))) {}

  std::size_t size() const override { return images_->n; }
  Dims dims() const override { return images_->dims; }
  int classes() const override { return images_->classes; }
  const std::vector<std::string>& class_names() const override { return images_->class_names; }
  int label(std::uint32_t id) const override {
    return images_->labels.empty() ? no_label : images_->labels.at(id);
  }
  void sample(std::uint32_t id, const Augment& augment, const Key& key, float* out) const override {
    make_batch(*images_, std::span(&id, 1), augment, key, out, nullptr);
  }
  /// Of the labels as they lie in memory (int32, little-endian), then of the pixels.
  std::string fingerprint() const override {
    return Checksum()
        .add(images_->labels.data(), images_->labels.size() * sizeof(images_->labels[0]))
        .add(images_->pixels.data(), images_->pixels.size())
        .text();
  }

 private:
  std::shared_ptr<const Images> images_;
};

}  // namespace rnx::inline RNX_ISA::data
