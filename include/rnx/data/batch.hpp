// Batches of images in memory.
#pragma once

#include <cstddef>
#include <span>

#include "rnx/data/images.hpp"
#include "rnx/data/operations.hpp"

namespace rnx::inline RNX_ISA::data {

/// The images and labels of `ids`: out (ids, h, w, c) in [0, 1], byte / 255, as `augment` makes
/// them; labels (ids), not written where null, no_label where the images have none. Errors:
/// UsageError (an id that is not in the data set, an operation that cannot work on such images).
inline void make_batch(const Images& images, std::span<const std::uint32_t> ids,
                       const Augment& augment, const Key& key, float* out, std::int32_t* labels) {
  const Dims d = images.dims;
  const std::size_t size = d.count();
  require(images.n >= 0 && images.pixels.size() == std::size_t(images.n) * size &&
              (images.labels.size() == std::size_t(images.n) || images.labels.empty()),
          [&] {
            return "make_batch: expected pixels and labels of " + std::to_string(images.n) +
                   " images " + d.text() + ", found " + std::to_string(images.pixels.size()) +
                   " and " + std::to_string(images.labels.size());
          });
  for (const std::uint32_t id : ids)
    require(id < std::uint32_t(images.n), [&] {
      return "make_batch: expected ids below " + std::to_string(images.n) + ", found " +
             std::to_string(id);
    });
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto whole = [&](const Patch&) {
      return Patch{images.pixels.data() + ids[i] * size, 0, 0, d.h, d.w};
    };
    make_sample({.h = d.h, .w = d.w, .sample = d}, augment, key, ids[i], whole, out + i * size);
    if (labels) labels[i] = images.labels.empty() ? no_label : images.labels[ids[i]];
  }
}

}  // namespace rnx::inline RNX_ISA::data
