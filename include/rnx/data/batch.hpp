// Batches of images: the order of an epoch, and augmentation that depends on (seed, epoch, sample)
// alone, whatever the batch or resume.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <utility>

#include "rnx/core/error.hpp"
#include "rnx/core/rng.hpp"
#include "rnx/data/images.hpp"

namespace rnx::inline RNX_ISA::data {

namespace detail {

/// Uniform in [0, n), without bias (Lemire, "Fast random integer generation in an interval", TOMACS
/// 2019). Takes numbers from `index` on.
inline std::uint32_t below(const rng::Stream& stream, std::uint64_t& index, std::uint32_t n) {
  std::uint64_t product = std::uint64_t(stream.bits(index++)) * n;
  if (std::uint32_t(product) < n)
    for (const std::uint32_t biased = (0u - n) % n; std::uint32_t(product) < biased;)
      product = std::uint64_t(stream.bits(index++)) * n;
  return std::uint32_t(product >> 32);
}

}  // namespace detail

/// A permutation of 0 .. n-1, the order of the samples in this epoch (Fisher-Yates).
inline std::vector<std::uint32_t> epoch_order(std::size_t n, std::uint64_t seed,
                                              std::uint64_t epoch) {
  require(n <= UINT32_MAX, [&] {
    return "epoch_order: expected fewer than 2^32 samples, found " + std::to_string(n);
  });
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  const rng::Stream stream(seed, Purpose::shuffle, epoch);
  std::uint64_t index = 0;
  for (std::size_t i = n; i > 1; --i)
    std::swap(order[i - 1], order[detail::below(stream, index, std::uint32_t(i))]);
  return order;
}

/// Where a sample is cut out of its zero-padded image, and whether it is mirrored.
struct Placement {
  int top = 0, left = 0;  ///< of the cut, relative to the image without padding: in [-pad, pad]
  bool flip = false;
};

inline Placement placement(const Augment& augment, std::uint64_t seed, std::uint64_t epoch,
                           std::uint32_t id) {
  const rng::Stream stream(seed, Purpose::augment, epoch, id);
  std::uint64_t index = 0;
  const int shifts = 2 * augment.pad + 1;
  Placement p;
  p.flip = stream.bits(index++) >> 31 && augment.flip;
  if (augment.crop) p.top = int(detail::below(stream, index, shifts)) - augment.pad;
  if (augment.crop) p.left = int(detail::below(stream, index, shifts)) - augment.pad;
  return p;
}

/// The images and labels of `ids`: out (ids, h, w, c) in [0, 1], byte / 255; labels (ids), not
/// written where null. `augment` null: as they are. Errors: UsageError (an id that is not in the
/// data set, a pad that is negative or larger than the image).
template <class T>
void make_batch(const Images& images, std::span<const std::uint32_t> ids, const Augment* augment,
                std::uint64_t seed, std::uint64_t epoch, T* out, std::int32_t* labels) {
  const int h = images.dims.h, w = images.dims.w, c = images.dims.c;
  const std::size_t row = std::size_t(w) * c, size = h * row;
  require(images.n >= 0 && images.pixels.size() == images.n * size &&
              images.labels.size() == std::size_t(images.n),
          [&] {
            return "make_batch: expected pixels and labels of " + std::to_string(images.n) +
                   " images " + images.dims.text() + ", found " +
                   std::to_string(images.pixels.size()) + " and " +
                   std::to_string(images.labels.size());
          });
  require(!augment || (augment->pad >= 0 && augment->pad <= std::max(h, w)), [&] {
    return "make_batch: expected a pad from 0 to " + std::to_string(std::max(h, w)) + ", found " +
           std::to_string(augment->pad);
  });
  for (const std::uint32_t id : ids)
    require(id < std::uint32_t(images.n), [&] {
      return "make_batch: expected ids below " + std::to_string(images.n) + ", found " +
             std::to_string(id);
    });

  for (std::size_t i = 0; i < ids.size(); ++i) {
    const Placement p = augment ? placement(*augment, seed, epoch, ids[i]) : Placement{};
    const std::uint8_t* from = images.pixels.data() + ids[i] * size;
    if (labels) labels[i] = images.labels[ids[i]];
    T* to = out + i * size;
    // columns [x0, x1) of the cut lie within the image
    const int x0 = std::clamp(-p.left, 0, w), x1 = std::clamp(w - p.left, x0, w);
    for (int y = 0; y < h; ++y, to += row) {
      const bool inside = y + p.top >= 0 && y + p.top < h;
      const std::size_t begin = inside ? std::size_t(x0) * c : row,
                        end = inside ? std::size_t(x1) * c : row;
      std::fill(to, to + begin, T(0));
      if (begin < end) {
        const std::uint8_t* line = from + (y + p.top) * row + (x0 + p.left) * c;
        for (std::size_t k = 0; k < end - begin; ++k) to[begin + k] = T(line[k]) / T(255);
      }
      std::fill(to + end, to + row, T(0));
      for (int x = 0; p.flip && x < w / 2; ++x)
        std::swap_ranges(to + x * c, to + (x + 1) * c, to + (w - 1 - x) * c);
    }
  }
}

}  // namespace rnx::inline RNX_ISA::data
