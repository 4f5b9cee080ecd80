// Operations on pictures in bytes (h, w, c) that give the bytes of Pillow's ImageOps and
// transforms.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <numeric>
#include <span>

#include "rnx/core/dims.hpp"

namespace rnx::inline RNX_ISA::data::bytes {

/// What becomes of each of the 256 levels.
using Table = std::array<std::uint8_t, 256>;
using Histogram = std::array<int, 256>;

inline Histogram histogram(std::span<const std::uint8_t> pixels, const Dims& d, int channel) {
  Histogram h{};
  for (std::size_t i = std::size_t(channel); i < pixels.size(); i += std::size_t(d.c))
    ++h[pixels[i]];
  return h;
}

/// Every level of a channel through its table.
inline void look_up(std::span<std::uint8_t> pixels, const Dims& d, int channel,
                    const Table& table) {
  for (std::size_t i = std::size_t(channel); i < pixels.size(); i += std::size_t(d.c))
    pixels[i] = table[pixels[i]];
}

namespace detail {

inline Table identity() {
  Table t{};
  std::iota(t.begin(), t.end(), std::uint8_t(0));
  return t;
}
template <class Level> Table table_of(const Level& level) {
  Table t{};
  for (int i = 0; i < 256; ++i) t[std::size_t(i)] = std::uint8_t(std::clamp(level(i), 0, 255));
  return t;
}
/// Each channel through the table that its histogram gives.
template <class TableOf>
void each_channel(std::span<std::uint8_t> pixels, const Dims& d, const TableOf& table) {
  for (int c = 0; c < d.c; ++c) look_up(pixels, d, c, table(histogram(pixels, d, c)));
}

}  // namespace detail

/// Stretches every channel from its darkest and brightest level to 0 and 255.
inline void auto_contrast(std::span<std::uint8_t> pixels, const Dims& d) {
  detail::each_channel(pixels, d, [](const Histogram& h) {
    int low = 0, high = 255;
    while (low < 255 && h[std::size_t(low)] == 0) ++low;
    while (high > 0 && h[std::size_t(high)] == 0) --high;
    if (high <= low) return detail::identity();
    const double scale = 255.0 / (high - low), offset = -low * scale;
    return detail::table_of([&](int level) { return int(level * scale + offset); });
  });
}

/// Makes the levels of every channel about equally frequent.
inline void equalize(std::span<std::uint8_t> pixels, const Dims& d) {
  detail::each_channel(pixels, d, [](const Histogram& h) {
    int last = 255;
    while (last > 0 && h[std::size_t(last)] == 0) --last;
    const int step = (std::accumulate(h.begin(), h.end(), 0) - h[std::size_t(last)]) / 255;
    if (step == 0) return detail::identity();
    int n = step / 2;
    return detail::table_of([&](int level) {
      const int to = n / step;
      n += h[std::size_t(level)];
      return to;
    });
  });
}

/// Keeps the `bits` highest bits.
inline void posterize(std::span<std::uint8_t> pixels, int bits) {
  const auto mask = std::uint8_t(0xff << (8 - bits));
  for (std::uint8_t& p : pixels) p &= mask;
}

/// Inverts what is not below the threshold.
inline void solarize(std::span<std::uint8_t> pixels, int threshold) {
  for (std::uint8_t& p : pixels)
    if (p >= threshold) p = std::uint8_t(255 - p);
}

/// The point (x, y) of the result shows the point (ax x + bx y + cx, ay x + by y + cy) of the
/// source; pixels' centres lie at halves.
struct Affine {
  double ax = 1, bx = 0, cx = 0;
  double ay = 0, by = 1, cy = 0;
};

/// Turns by an angle in degrees, counterclockwise, around the centre.
inline Affine rotation(double degrees, const Dims& d) {
  const double radians = -degrees * (std::numbers::pi / 180), scale = 1e15;
  const auto digits = [&](double v) { return std::nearbyint(v * scale) / scale; };
  const double c = digits(std::cos(radians)), s = digits(std::sin(radians)), x = d.w / 2.0,
               y = d.h / 2.0;
  return {
      .ax = c, .bx = s, .cx = x - (c * x + s * y), .ay = -s, .by = c, .cy = y - (c * y - s * x)};
}

namespace detail {

/// The four pixels around a point, and where it lies between them.
struct Neighbours {
  const std::uint8_t* high_left;
  const std::uint8_t* low_left;
  std::ptrdiff_t right;  ///< from a left one to the right one
  double dx, dy;
};

inline Neighbours neighbours(const std::uint8_t* from, const Dims& d, double x, double y) {
  const int left = int(x + 0.5) - 1, top = int(y + 0.5) - 1;  // floor(x - 1/2): x is not negative
  const int x0 = std::max(left, 0), x1 = std::min(left + 1, d.w - 1), y0 = std::max(top, 0),
            y1 = std::min(top + 1, d.h - 1);
  return {.high_left = from + (std::ptrdiff_t(y0) * d.w + x0) * d.c,
          .low_left = from + (std::ptrdiff_t(y1) * d.w + x0) * d.c,
          .right = std::ptrdiff_t(x1 - x0) * d.c,
          .dx = x - 0.5 - left,
          .dy = y - 0.5 - top};
}
inline double between(double a, double b, double part) { return a + (b - a) * part; }

template <int Channels>
void transform(const std::uint8_t* from, const Dims& d, const Affine& a, std::uint8_t* to) {
  const int channels = Channels > 0 ? Channels : d.c;
  for (int row = 0; row < d.h; ++row)
    for (int column = 0; column < d.w; ++column, to += channels) {
      const double u = column + 0.5, v = row + 0.5;
      const double x = a.ax * u + a.bx * v + a.cx, y = a.ay * u + a.by * v + a.cy;
      if (!(x >= 0 && x < d.w && y >= 0 && y < d.h)) {
        std::fill(to, to + channels, std::uint8_t(0));
        continue;
      }
      const Neighbours n = neighbours(from, d, x, y);
      if (n.dx == 0 && n.dy == 0) {  // a translation by whole pixels
        std::copy_n(n.high_left, channels, to);
        continue;
      }
      for (int k = 0; k < channels; ++k) {
        const double high = between(n.high_left[k], n.high_left[n.right + k], n.dx);
        const double low = between(n.low_left[k], n.low_left[n.right + k], n.dx);
        to[k] = std::uint8_t(int(between(high, low, n.dy)));
      }
    }
}

}  // namespace detail

/// Bilinear, black where the source has no pixel; levels are truncated. to: other memory.
inline void transform(const std::uint8_t* from, const Dims& d, const Affine& a, std::uint8_t* to) {
  if (d.c == 3) return detail::transform<3>(from, d, a, to);
  detail::transform<0>(from, d, a, to);
}

}  // namespace rnx::inline RNX_ISA::data::bytes
