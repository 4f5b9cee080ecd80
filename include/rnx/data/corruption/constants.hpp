// The names of the common corruptions, and their published constants.
#pragma once

#include <array>
#include <string_view>

#include "rnx/config.hpp"

namespace rnx::inline RNX_ISA::data {

/// The 15 of the benchmark in its order, then the four beside it.
enum class Corruption {
  gaussian_noise,
  shot_noise,
  impulse_noise,
  defocus_blur,
  glass_blur,
  motion_blur,
  zoom_blur,
  snow,
  frost,
  fog,
  brightness,
  contrast,
  elastic_transform,
  pixelate,
  jpeg_compression,
  speckle_noise,
  gaussian_blur,
  spatter,
  saturate
};

namespace corruption {

inline constexpr int benchmark_count = 15;
/// The files' names without .npy, in the order of Corruption.
inline constexpr std::array<std::string_view, 19> names{"gaussian_noise",
                                                        "shot_noise",
                                                        "impulse_noise",
                                                        "defocus_blur",
                                                        "glass_blur",
                                                        "motion_blur",
                                                        "zoom_blur",
                                                        "snow",
                                                        "frost",
                                                        "fog",
                                                        "brightness",
                                                        "contrast",
                                                        "elastic_transform",
                                                        "pixelate",
                                                        "jpeg_compression",
                                                        "speckle_noise",
                                                        "gaussian_blur",
                                                        "spatter",
                                                        "saturate"};

/// CIFAR-10-C and CIFAR-100-C; Tiny-ImageNet-C.
enum class Set { cifar, tiny_imagenet };

/// What a corruption's algorithm takes at a severity, in the published order.
using Numbers = std::array<double, 7>;
using Severities = std::array<Numbers, 5>;

namespace detail {

inline constexpr Severities cifar[] = {
    {{{.04}, {.06}, {.08}, {.09}, {.10}}},
    {{{500}, {250}, {100}, {75}, {50}}},
    {{{.01}, {.02}, {.03}, {.05}, {.07}}},
    {{{.3, .4}, {.4, .5}, {.5, .6}, {1, .2}, {1.5, .1}}},
    {{{.05, 1, 1}, {.25, 1, 1}, {.4, 1, 1}, {.25, 1, 2}, {.4, 1, 2}}},
    {{{6, 1}, {6, 1.5}, {6, 2}, {8, 2}, {9, 2.5}}},
    {{{6}, {11}, {16}, {21}, {26}}},
    {{{.1, .2, 1, .6, 8, 3, .95},
      {.1, .2, 1, .5, 10, 4, .9},
      {.15, .3, 1.75, .55, 10, 4, .9},
      {.25, .3, 2.25, .6, 12, 6, .85},
      {.3, .3, 1.25, .65, 14, 12, .8}}},
    {{{1, .2}, {1, .3}, {.9, .4}, {.85, .4}, {.75, .45}}},
    {{{.2, 3}, {.5, 3}, {.75, 2.5}, {1, 2}, {1.5, 1.75}}},
    {{{.05}, {.1}, {.15}, {.2}, {.3}}},
    {{{.75}, {.5}, {.4}, {.3}, {.15}}},
    {{{0, 0, .08}, {.05, .2, .07}, {.08, .06, .06}, {.1, .04, .05}, {.1, .03, .03}}},
    {{{.95}, {.9}, {.85}, {.75}, {.65}}},
    {{{80}, {65}, {58}, {50}, {40}}},
    {{{.06}, {.1}, {.12}, {.16}, {.2}}},
    {{{.4}, {.6}, {.7}, {.8}, {1}}},
    {{{.62, .1, .7, .7, .5, 0},
      {.65, .1, .8, .7, .5, 0},
      {.65, .3, 1, .69, .5, 0},
      {.65, .1, .7, .69, .6, 1},
      {.65, .1, .5, .68, .6, 1}}},
    {{{.3, 0}, {.1, 0}, {1.5, 0}, {2, .1}, {2.5, .2}}}};

inline constexpr Severities tiny_imagenet[] = {
    {{{.04}, {.08}, {.12}, {.15}, {.18}}},
    {{{250}, {100}, {50}, {30}, {15}}},
    {{{.01}, {.02}, {.05}, {.08}, {.14}}},
    {{{.5, .6}, {1, .1}, {1.5, .1}, {2.5, .01}, {3, .1}}},
    {{{.1, 1, 1}, {.5, 1, 1}, {.6, 1, 2}, {.7, 2, 1}, {.9, 2, 2}}},
    {{{10, 1}, {10, 1.5}, {10, 2}, {10, 2.5}, {12, 3}}},
    {{{6}, {11}, {16}, {21}, {26}}},
    {{{.1, .2, 1, .6, 8, 3, .8},
      {.1, .2, 1, .5, 10, 4, .8},
      {.15, .3, 1.75, .55, 10, 4, .7},
      {.25, .3, 2.25, .6, 12, 6, .65},
      {.3, .3, 1.25, .65, 14, 12, .6}}},
    {{{1, .3}, {.9, .4}, {.8, .45}, {.75, .5}, {.7, .55}}},
    {{{.4, 3}, {.7, 3}, {1, 2.5}, {1.5, 2}, {2, 1.75}}},
    {{{.1}, {.2}, {.3}, {.4}, {.5}}},
    {{{.4}, {.3}, {.2}, {.1}, {.05}}},
    {{{0, 0, .08}, {.05, .3, .06}, {.1, .08, .06}, {.1, .03, .03}, {.16, .03, .02}}},
    {{{.9}, {.8}, {.7}, {.6}, {.5}}},
    {{{65}, {58}, {50}, {40}, {25}}},
    {{{.15}, {.2}, {.25}, {.3}, {.35}}},
    {{{.5}, {.75}, {1}, {1.25}, {1.5}}},
    {{{.62, .1, .7, .7, .6, 0},
      {.65, .1, .8, .7, .6, 0},
      {.65, .3, 1, .69, .6, 0},
      {.65, .1, .7, .68, .6, 1},
      {.65, .1, .5, .67, .6, 1}}},
    {{{.3, 0}, {.1, 0}, {2, 0}, {5, .1}, {30, .2}}}};

}  // namespace detail

/// severity: 1 to 5. zoom_blur: the count of enlargements that is meant (zoom_count has the
/// published one); elastic_transform: shares of the image's side.
constexpr const Numbers& constants(Set set, Corruption kind, int severity) {
  const Severities& all = (set == Set::cifar ? detail::cifar : detail::tiny_imagenet)[int(kind)];
  return all[std::size_t(severity - 1)];
}

/// Enlargements of zoom_blur: 7, 12, 16, 21, 26. In the published code rounding lets the end of the
/// range in at severities 1 and 2; even: without that, 6 and 11.
constexpr int zoom_count(Set set, int severity, bool even) {
  return int(constants(set, Corruption::zoom_blur, severity)[0]) + (!even && severity <= 2);
}

}  // namespace corruption
}  // namespace rnx::inline RNX_ISA::data
