// A data set that is computed: bright shapes of ten kinds, and under each a faint pattern of its
// class. Nothing is downloaded or read. Natural training finds the pattern, which is always right
// and which an attack of 8/255 overwrites; adversarial training is left with the shape, which is
// right in seven of ten images (Tsipras et al., "Robustness may be at odds with accuracy", ICLR
// 2019, in pictures). Integer arithmetic only: the same bytes on every machine.
#pragma once

#include <algorithm>
#include <array>
#include <climits>
#include <cstdlib>

#include "rnx/data/draws.hpp"
#include "rnx/data/images.hpp"

namespace rnx::inline RNX_ISA::data {

/// How much the pattern moves a channel, in levels of 255: less than the usual attack's 8.
inline constexpr int synthetic_amplitude = 5;

/// The pattern of a class, +1 or -1 at (y, x, channel): a checkerboard, columns or rows, one pixel
/// wide, and the same or the opposite in each channel. It has period 2, so its mean over every 2 x
/// 2 block is 0, and a shift leaves it as it is or negates it: no two classes share one.
constexpr int synthetic_pattern(int label, int y, int x, int channel) {
  const int parity = (label % 3 == 0 ? y + x : label % 3 == 1 ? x : y) & 1;
  const bool opposite =
      label / 3 ==
      channel + 1;  // classes 0 to 2 are grey, in 3 to 9 one channel runs against the others
  return parity ^ int(opposite) ? -1 : 1;
}

/// What was drawn for one image before its pixels were.
struct SyntheticScene {
  int label = 0;  ///< the class, which the pattern shows: index % 10
  /// the kind that is painted: `label` with probability 7/10, else one of the others, all alike
  int shape = 0;
  int center_x = 0,
      center_y = 0;  ///< in eighths of a pixel: the middle of the image or up to 3 pixels beside it
  int radius = 0;    ///< half the shape's extent, 9 to 12 pixels, in eighths
  int turn = 0;      ///< in 64ths of a radian: up to 0.16, about 9 degrees
  using Colour = std::array<int, 3>;
  std::array<Colour, 2> back{},
      front{};  ///< darkest channel from 20, brightest to 90; darkest from 120, brightest to 235
  int slope_x = 0, slope_y = 0;  ///< of the background's way from one colour to the other
};

namespace detail {

/// Whether a kind covers the point (u, v), v downwards; s: half the extent, in the same unit.
inline bool synthetic_covers(int kind, int u, int v, int s) {
  const int au = std::abs(u), av = std::abs(v), largest = std::max(au, av);
  const auto stripe = [](int at, int extent, int count) {
    return at * count / extent % 2 == 0;
  };  // at in [0, extent]
  switch (kind) {
    case 0: return u * u + v * v <= s * s;                                  // disc
    case 1: return u * u + v * v <= s * s && 4 * (u * u + v * v) >= s * s;  // ring
    case 2: return 8 * largest <= 7 * s;                                    // square
    case 3: return 8 * v <= 6 * s && 8 * (v + s) >= 16 * au - s;            // triangle
    case 4: return largest <= s && 10 * std::min(au, av) <= 3 * s;          // cross
    case 5:
      return largest <= s && 10 * std::min(std::abs(u + v), std::abs(u - v)) <= 4 * s;  // saltire
    case 6: return largest <= s && stripe(v + s, 2 * s, 5);                             // rows
    case 7: return largest <= s && stripe(u + s, 2 * s, 5);                             // columns
    case 8: return largest <= s && !stripe(u + v + 2 * s, 4 * s, 7);                    // diagonals
    default: return largest <= s && stripe(u + s, 2 * s, 4) != stripe(v + s, 2 * s, 4);  // checkers
  }
}

/// Uniform in [low, high].
inline int between(const rng::Stream& random, std::uint64_t& index, int low, int high) {
  return low + int(below(random, index, std::uint32_t(high - low + 1)));
}

/// A saturated colour: one channel from the bright fifth of [low, high], one from the dark fifth,
/// one from anywhere, in random order.
inline SyntheticScene::Colour synthetic_colour(const rng::Stream& random, std::uint64_t& index,
                                               int low, int high) {
  const int part = (high - low) / 5;
  SyntheticScene::Colour colour{between(random, index, high - part, high),
                                between(random, index, low, high),
                                between(random, index, low, low + part)};
  std::swap(colour[2], colour[below(random, index, 3)]);
  std::swap(colour[1], colour[below(random, index, 2)]);
  return colour;
}

inline rng::Stream synthetic_stream(Split split, std::uint64_t seed, std::uint64_t index) {
  return {seed, Purpose::synthetic, split == Split::train ? 0u : 1u, index};
}

}  // namespace detail

/// The scene of image `index`.
inline SyntheticScene synthetic_scene(Split split, std::uint64_t seed, std::uint64_t index) {
  const rng::Stream random = detail::synthetic_stream(split, seed, index);
  std::uint64_t at = 0;
  const auto between = [&](int low, int high) { return detail::between(random, at, low, high); };
  SyntheticScene s;
  s.label = s.shape = int(index % 10);
  if (between(0, 9) >= 7) s.shape = (s.label + between(1, 9)) % 10;
  s.center_x = 128 + between(-24, 24);
  s.center_y = 128 + between(-24, 24);
  s.radius = between(72, 96);
  s.turn = between(-10, 10);
  for (auto& colour : s.back) colour = detail::synthetic_colour(random, at, 20, 90);
  s.front[0] = detail::synthetic_colour(random, at, 120, 235);
  s.front[1] = s.front[0];
  for (int& channel : s.front[1]) channel = std::clamp(channel + between(-30, 30), 120, 235);
  s.slope_x = between(-4, 4);
  s.slope_y = between(-4, 4);
  return s;
}

/// Paints the image (32, 32, 3) of a scene: the background runs from one colour to the other, the
/// shape (its edges smoothed) likewise from top to bottom, each channel has noise of -3 to 3
/// levels, and the pattern comes on top. `pattern` false leaves it out. All values lie in [12,
/// 243].
inline void synthetic_paint(const SyntheticScene& s, Split split, std::uint64_t seed,
                            std::uint64_t index, std::uint8_t* out, bool pattern = true) {
  const rng::Stream random = detail::synthetic_stream(split, seed, index);
  for (int y = 0; y < 32; ++y)
    for (int x = 0; x < 32; ++x, out += 3) {
      int covered = 0;  // of 16 points
      for (int k = 0; k < 16; ++k) {
        const int dx = 8 * x + 2 * (k % 4) + 1 - s.center_x,
                  dy = 8 * y + 2 * (k / 4) + 1 - s.center_y;
        covered += detail::synthetic_covers(s.shape, dx * 64 + dy * s.turn, dy * 64 - dx * s.turn,
                                            s.radius * 64);
      }
      const int way =
          std::clamp(128 + (2 * x - 31) * s.slope_x + (2 * y - 31) * s.slope_y, 0, 256);  // of 256
      const std::uint32_t noise = random.bits(1024 + 32 * y + x);  // past the scene's numbers
      for (int c = 0; c < 3; ++c) {
        const int back = s.back[0][c] * (256 - way) + s.back[1][c] * way,
                  front = (s.front[0][c] * (31 - y) + s.front[1][c] * y) * 256 / 31;
        const int grain = int(noise >> 4 * c & 3) + int(noise >> (4 * c + 2) & 3) - 3;
        const int level = (back * (16 - covered) + front * covered + 2048) / 4096 + grain;
        out[c] = std::uint8_t(
            level + (pattern ? synthetic_amplitude * synthetic_pattern(s.label, y, x, c) : 0));
      }
    }
}

/// n images (32, 32, 3) of ten classes, of which image i has label i % 10 (n = 0: 10000 for
/// training, 1000 for tests). The first images of a larger set are the smaller set. Shapes alone,
/// on which no perturbation of 8/255 has much hold, allow 70 % (label noise of 30 %); the pattern
/// allows 100 %.
inline Images synthetic(Split split, std::size_t n = 0, std::uint64_t seed = 1) {
  if (n == 0) n = split == Split::train ? 10000 : 1000;
  require(n <= INT_MAX,
          [&] { return "synthetic: expected fewer than 2^31 images, found " + std::to_string(n); });
  Images images{.n = int(n),
                .dims = {3, 32, 32},
                .classes = 10,
                .pixels = {},
                .labels = {},
                .class_names = {}};
  images.class_names = {"disc",    "ring", "square",  "triangle",  "cross",
                        "saltire", "rows", "columns", "diagonals", "checkers"};
  images.pixels.resize(n * images.dims.count());
  images.labels.reserve(n);
  for (std::size_t i = 0; i < n; ++i) {
    const SyntheticScene scene = synthetic_scene(split, seed, i);
    images.labels.push_back(scene.label);
    synthetic_paint(scene, split, seed, i, images.pixels.data() + i * images.dims.count());
  }
  return images;
}

}  // namespace rnx::inline RNX_ISA::data
