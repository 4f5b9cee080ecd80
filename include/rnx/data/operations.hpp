// Operations for augmentations (augment.hpp). Normalisation is none: it is a part of the network.
#pragma once

#include <algorithm>
#include <cmath>

#include "rnx/data/augment.hpp"

namespace rnx::inline RNX_ISA::data {

/// Any window of the picture with `pad` more pixels on each side (He et al. 2015, section 4.2),
/// zeros or the picture's mirror image.
struct RandomCrop {
  static constexpr const char* name = "crop";
  static constexpr std::uint64_t draws_from = 1;  // behind the flip's number
  int pad = 4;
  bool reflect = false;

  static void numbers(auto& self, auto&& each) {
    each("pad", self.pad);
    each("reflect", self.reflect);
  }
  void check(const Dims& d) const {
    const int most = reflect ? std::min(d.h, d.w) - 1 : std::max(d.h, d.w);
    require(pad >= 0 && pad <= most, [&] {
      return "crop: expected a pad from 0 to " + std::to_string(most) + ", found " +
             std::to_string(pad);
    });
  }
  void place(const Frame& frame, Placement& placement, Draws& draws) const {
    const auto any = [&](long picture, int sample) {
      return long(draws.below(std::uint32_t(picture - sample + 2 * pad + 1))) - pad;
    };
    placement.top = any(frame.h, frame.sample.h);
    placement.left = any(frame.w, frame.sample.w);
    placement.reflect = reflect;
  }
};

/// Mirrors left and right with probability 1/2.
struct HorizontalFlip {
  static constexpr const char* name = "flip";
  static constexpr std::uint64_t draws_from = 0;

  void place(const Frame&, Placement& placement, Draws& draws) const {
    placement.flip = draws.chance(0.5);
  }
};

/// Sets `count` squares of size x size pixels to `level` in all channels; their centres are any
/// pixels, so that they may lie across the edge (DeVries & Taylor 2017, "Improved regularization of
/// convolutional neural networks with Cutout", whose level is the data's mean). An even size
/// reaches one pixel further up and left.
struct Cutout {
  static constexpr const char* name = "cutout";
  int size = 16, count = 1;
  double level = 0.5;

  static void numbers(auto& self, auto&& each) {
    each("size", self.size);
    each("count", self.count);
    each("level", self.level);
  }
  void check(const Dims&) const {
    require(size > 0 && count > 0, [&] {
      return "cutout: expected a size and a count of at least 1, found " + std::to_string(size) +
             " and " + std::to_string(count);
    });
    require(level >= 0 && level <= 1,
            [&] { return "cutout: expected a level from 0 to 1, found " + number_text(level); });
  }
  void operator()(View<float, cpu> x, Draws& draws) const {
    const long h = x.dims.h, w = x.dims.w, c = x.dims.c;
    for (int k = 0; k < count; ++k) {
      const long top = long(draws.below(std::uint32_t(h))) - size / 2,
                 left = long(draws.below(std::uint32_t(w))) - size / 2;
      const long x0 = std::max(left, 0L), x1 = std::min(left + size, w);
      for (long y = std::max(top, 0L); y < std::min(top + size, h); ++y)
        std::fill(x.data + (y * w + x0) * c, x.data + (y * w + x1) * c, float(level));
    }
  }
};

/// With `probability`, sets a rectangle to noise that is uniform in [0, 1): its area is a share of
/// the sample's, its height over its width a ratio, both uniform; of ten tries the first that fits
/// inside (Zhong et al. 2020, "Random erasing data augmentation").
struct RandomErasing {
  static constexpr const char* name = "erasing";
  double probability = 0.5, least_area = 0.02, most_area = 0.4, ratio = 0.3;  ///< to 1 / ratio

  static void numbers(auto& self, auto&& each) {
    each("probability", self.probability);
    each("area", self.least_area);
    each("to", self.most_area);
    each("ratio", self.ratio);
  }
  void check(const Dims&) const {
    require(probability >= 0 && probability <= 1, [&] {
      return "erasing: expected a probability from 0 to 1, found " + number_text(probability);
    });
    require(least_area > 0 && least_area <= most_area && most_area <= 1, [&] {
      return "erasing: expected shares of the area above 0, up to 1, found " +
             number_text(least_area) + " to " + number_text(most_area);
    });
    require(ratio > 0 && ratio <= 1, [&] {
      return "erasing: expected a ratio above 0, up to 1, found " + number_text(ratio);
    });
  }
  void operator()(View<float, cpu> x, Draws& draws) const {
    if (!draws.chance(probability)) return;
    const long h = x.dims.h, w = x.dims.w, c = x.dims.c;
    for (int attempt = 0; attempt < 10; ++attempt) {
      const double area = draws.uniform(least_area, most_area) * double(h * w),
                   shape = draws.uniform(ratio, 1 / ratio);
      const long high = std::lround(std::sqrt(area * shape)),
                 wide = std::lround(std::sqrt(area / shape));
      if (high < 1 || wide < 1 || high > h || wide > w) continue;
      const long top = long(draws.below(std::uint32_t(h - high + 1))),
                 left = long(draws.below(std::uint32_t(w - wide + 1)));
      for (long y = top; y < top + high; ++y)
        for (long k = (y * w + left) * c; k < (y * w + left + wide) * c; ++k)
          x.data[k] = float(draws.bits() >> 8) * 0x1p-24f;
      return;
    }
  }
};

namespace detail {

/// 0.299 R + 0.587 G + 0.114 B, or the one channel.
inline float luma(const float* pixel, int channels) {
  return channels == 1 ? pixel[0] : 0.299f * pixel[0] + 0.587f * pixel[1] + 0.114f * pixel[2];
}
inline void check_colours(const char* name, const Dims& d) {
  require(d.c == 1 || d.c == 3, [&] {
    return std::string(name) + ": expected samples of 1 or 3 channels, found " +
           std::to_string(d.c);
  });
}
inline float unit(float v) { return std::clamp(v, 0.0f, 1.0f); }

}  // namespace detail

/// With `probability`, every channel becomes 0.299 R + 0.587 G + 0.114 B.
struct Grayscale {
  static constexpr const char* name = "grayscale";
  double probability = 0.1;

  static void numbers(auto& self, auto&& each) { each("probability", self.probability); }
  void check(const Dims& d) const {
    detail::check_colours(name, d);
    require(probability >= 0 && probability <= 1, [&] {
      return "grayscale: expected a probability from 0 to 1, found " + number_text(probability);
    });
  }
  void operator()(View<float, cpu> x, Draws& draws) const {
    if (!draws.chance(probability)) return;
    for (float* p = x.data; p != x.data + x.count(); p += x.dims.c)
      std::fill(p, p + x.dims.c, detail::luma(p, x.dims.c));
  }
};

/// Brightness, contrast and saturation in any order, each times a factor that is uniform in [1 -
/// a, 1 + a] for its number a, and cut to [0, 1]. Contrast moves pixels from the mean of the
/// sample's grey levels, saturation from the pixel's own (as in torchvision; without its hue).
struct ColorJitter {
  static constexpr const char* name = "jitter";
  double brightness = 0.1, contrast = 0.1, saturation = 0.1;

  static void numbers(auto& self, auto&& each) {
    each("brightness", self.brightness);
    each("contrast", self.contrast);
    each("saturation", self.saturation);
  }
  void check(const Dims& d) const {
    detail::check_colours(name, d);
    for (const double a : {brightness, contrast, saturation})
      require(a >= 0 && a <= 1, [&] {
        return "jitter: expected a brightness, contrast and saturation from 0 to 1, found " +
               number_text(a);
      });
  }
  void operator()(View<float, cpu> x, Draws& draws) const {
    const double amounts[] = {brightness, contrast, saturation};
    float factors[3];
    for (int k = 0; k < 3; ++k) factors[k] = float(draws.uniform(1 - amounts[k], 1 + amounts[k]));
    int order[] = {0, 1, 2};
    std::swap(order[2], order[draws.below(3)]);
    std::swap(order[1], order[draws.below(2)]);
    const int c = x.dims.c;
    float* const end = x.data + x.count();
    for (const int kind : order) {
      if (amounts[kind] == 0) continue;  // no bit is changed
      double sum = 0;
      for (const float* p = x.data; kind == 1 && p != end; p += c) sum += detail::luma(p, c);
      const float mean = kind == 1 ? float(sum / x.dims.pixels()) : 0.0f, f = factors[kind];
      for (float* p = x.data; p != end; p += c) {
        const float from = kind == 2 ? detail::luma(p, c) : mean;
        for (int k = 0; k < c; ++k) p[k] = detail::unit(from + f * (p[k] - from));
      }
    }
  }
};

/// What CIFAR is usually trained with: a random crop of the image padded with zeros, and a flip.
inline Augment crop_and_flip(int pad = 4) { return {RandomCrop{.pad = pad}, HorizontalFlip{}}; }

}  // namespace rnx::inline RNX_ISA::data
