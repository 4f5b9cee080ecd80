// The common corruptions of CIFAR-10-C and Tiny-ImageNet-C, computed (Hendrycks & Dietterich 2019,
// "Benchmarking neural network robustness to common corruptions and perturbations"; constants of
// the published make_cifar_c.py and make_tinyimagenet_c.py). Where the official files are at hand
// they are to be preferred (data/npy.hpp reads them): random numbers differ, and so do a few
// libraries' roundings. jpeg_compression needs the CMake target rnx::images.
#pragma once

#include <span>
#include <string>

#include "rnx/data/corruption/constants.hpp"
#include "rnx/data/corruption/digital.hpp"
#include "rnx/data/corruption/noise.hpp"
#include "rnx/data/corruption/spatter.hpp"
#include "rnx/data/corruption/weather.hpp"
#include "rnx/data/draws.hpp"
#include "rnx/data/image.hpp"
#include "rnx/data/images.hpp"

namespace rnx::inline RNX_ISA::data {

/// The published code's quirks are the default.
struct CorruptionOptions {
  corruption::Set constants = corruption::Set::cifar;
  bool glass_swaps = false;  ///< what glass_blur means to do; published: a pixel is copied
  bool even_zooms = false;  ///< zoom_blur by 6 and 11 enlargements at severities 1 and 2, not 7, 12
  bool rounds = false;      ///< to the nearest level; published: truncated
  /// Photographs of frost with more pixels than the image, whose windows are taken. None: computed
  /// ice (corruption::computed_frost), which does not compare with published numbers.
  std::span<const Picture> frost{};
};

inline namespace RNX_CODECS {
namespace corruption_detail {

template <class Numbers>
void add_weather(corruption::Field& f, Corruption kind, const corruption::Numbers& v,
                 Numbers& numbers, const CorruptionOptions& o) {
  namespace c = corruption;
  switch (kind) {
    case Corruption::snow:
      f = c::snow(f,
                  {.mean = v[0],
                   .deviation = v[1],
                   .zoom = v[2],
                   .threshold = v[3],
                   .radius = int(v[4]),
                   .sigma = v[5],
                   .keep = v[6]},
                  numbers);
      return;
    case Corruption::frost:
      if (o.frost.empty()) {
        const Picture ice = c::computed_frost(2 * std::max(f.h, f.w), f.c, numbers);
        f = c::frost(f, v[0], v[1], ice, numbers);
      } else {
        const std::uint32_t any = numbers.below(std::uint32_t(o.frost.size()));
        f = c::frost(f, v[0], v[1], o.frost[any], numbers);
      }
      return;
    case Corruption::fog: f = c::fog(f, v[0], v[1], numbers); return;
    case Corruption::spatter:
      f = c::spatter(f,
                     {.mean = v[0],
                      .deviation = v[1],
                      .sigma = v[2],
                      .threshold = v[3],
                      .strength = v[4],
                      .mud = v[5] != 0},
                     numbers);
      return;
    default: return;
  }
}

template <class Numbers>
void corrupt(corruption::Field& f, Corruption kind, int severity, Numbers& numbers,
             const CorruptionOptions& o) {
  namespace c = corruption;
  const c::Numbers v = c::constants(o.constants, kind, severity);
  switch (kind) {
    case Corruption::gaussian_noise: return c::add_gaussian(f, v[0], false, numbers);
    case Corruption::speckle_noise: return c::add_gaussian(f, v[0], true, numbers);
    case Corruption::shot_noise: return c::shot(f, v[0], numbers);
    case Corruption::impulse_noise: return c::salt_and_pepper(f, v[0], numbers);
    case Corruption::defocus_blur: f = c::defocused(f, v[0], v[1]); return;
    case Corruption::glass_blur:
      f = c::glass(f, v[0], int(v[1]), int(v[2]), o.glass_swaps, numbers);
      return;
    case Corruption::motion_blur: {
      const double angle = numbers.uniform(-45, 45);
      f = c::Field(c::motion_blur(f, int(v[0]), v[1], angle).picture(false));
      return;
    }
    case Corruption::zoom_blur:
      f = c::zoom_blur(f, c::zoom_count(o.constants, severity, o.even_zooms));
      return;
    case Corruption::gaussian_blur: f = c::gaussian(f, v[0]); return;
    case Corruption::snow:
    case Corruption::frost:
    case Corruption::fog:
    case Corruption::spatter: return add_weather(f, kind, v, numbers, o);
    case Corruption::brightness: return c::brightness(f, v[0]);
    case Corruption::saturate: return c::saturate(f, v[0], v[1]);
    case Corruption::contrast: return c::contrast(f, v[0]);
    case Corruption::elastic_transform:
      f = c::elastic(f, v[0] * f.w, v[1] * f.w, v[2] * f.w, numbers);
      return;
    case Corruption::pixelate: {
      const Picture small = resize(f.picture(false), int(f.h * v[0]), int(f.w * v[0]), Filter::box);
      f = c::Field(resize(small, f.h, f.w, Filter::box));
      return;
    }
    case Corruption::jpeg_compression: {
      const std::vector<std::byte> bytes = encode_jpeg(f.picture(false), int(v[0]));
      f = c::Field(decode_image(bytes, "jpeg_compression", {.channels = f.c}));
    }
  }
}

}  // namespace corruption_detail

/// The picture, of 1 or 3 channels, corrupted with severity 1 to 5. `numbers` gives uniform(),
/// uniform(low, high), normal(), poisson(mean) and below(n), as Draws does. Errors: UsageError (a
/// severity or channels that cannot be, frost that is too small, jpeg_compression without libjpeg).
template <class Numbers>
Picture corrupt(const Picture& picture, Corruption kind, int severity, Numbers& numbers,
                const CorruptionOptions& o = {}) {
  require(severity >= 1 && severity <= 5, [&] {
    return "corrupt: expected a severity from 1 to 5, found " + std::to_string(severity);
  });
  require(picture.h >= 8 && picture.w >= 8 && (picture.c == 1 || picture.c == 3), [&] {
    return "corrupt: expected a picture of 8 x 8 pixels or more and 1 or 3 channels, found " +
           std::to_string(picture.h) + " x " + std::to_string(picture.w) + " and " +
           std::to_string(picture.c);
  });
  corruption::Field f(picture);
  corruption_detail::corrupt(f, kind, severity, numbers, o);
  // what other libraries made is in bytes already
  const bool bytes = kind == Corruption::pixelate || kind == Corruption::jpeg_compression ||
                     kind == Corruption::motion_blur;
  return f.picture(!o.rounds && !bytes);
}

/// All images, each from numbers of (seed, kind, severity, its place) alone.
inline Images corrupt(const Images& images, Corruption kind, int severity, std::uint64_t seed,
                      const CorruptionOptions& o = {}) {
  Images out = images;
  const std::size_t count = images.dims.count();
  Picture picture{images.dims.h, images.dims.w, images.dims.c, {}};
  for (int i = 0; i < images.n; ++i) {
    const auto first = images.pixels.begin() + std::ptrdiff_t(count * std::size_t(i));
    picture.pixels.assign(first, first + std::ptrdiff_t(count));
    Draws draws(rng::Stream(seed, Purpose::data, std::uint64_t(kind) << 8 | unsigned(severity),
                            std::uint64_t(i)));
    const Picture done = corrupt(picture, kind, severity, draws, o);
    std::copy(done.pixels.begin(), done.pixels.end(),
              out.pixels.begin() + std::ptrdiff_t(count * std::size_t(i)));
  }
  return out;
}

}  // namespace RNX_CODECS
}  // namespace rnx::inline RNX_ISA::data
