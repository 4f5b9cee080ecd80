// One picture in bytes, and how it is resized: with the filter widened by the factor of reduction,
// so that every pixel of the source counts (antialiasing, as PIL and torchvision do).
// Integer arithmetic: the same bits on every machine.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "rnx/core/error.hpp"

namespace rnx::inline RNX_ISA::data {

struct Picture {
  int h = 0, w = 0, c = 0;
  std::vector<std::uint8_t> pixels{};  ///< (h, w, c)
};

/// A part of a picture, in pixels.
struct Window {
  long top = 0, left = 0;
  int h = 0, w = 0;
};

/// With 1 or 3 channels: grey is repeated; colours become grey as 0.299 R + 0.587 G + 0.114 B, in
/// 65536ths, as PIL rounds them.
inline Picture with_channels(Picture from, int channels) {
  require((channels == 1 || channels == 3) && (from.c == 1 || from.c == 3), [&] {
    return "with_channels: expected 1 or 3 channels, found " + std::to_string(from.c) + " and " +
           std::to_string(channels);
  });
  if (from.c == channels) return from;
  const std::size_t count = std::size_t(from.h) * from.w;
  Picture to{from.h, from.w, channels, std::vector<std::uint8_t>(count * channels)};
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t* p = from.pixels.data() + i * from.c;
    if (channels == 1)
      to.pixels[i] = std::uint8_t((19595 * p[0] + 38470 * p[1] + 7471 * p[2] + 32768) >> 16);
    else
      for (int c = 0; c < 3; ++c) to.pixels[3 * i + c] = *p;
  }
  return to;
}

/// How much a source pixel counts by its distance from the result's: less and less, or alike.
enum class Filter { bilinear, box };

namespace detail {

inline constexpr int resize_bits = 22;  // of a weight: 255 * 2^22 is below 2^31

/// What outputs [begin, begin + count) of a line resized from `in` to `out` pixels are made of.
class ResizeTaps {
 public:
  ResizeTaps(int in, long out, long begin, int count, Filter filter = Filter::bilinear)
      : taps_(count) {
    const bool box = filter == Filter::box;
    const double scale = double(in) / double(out), widened = std::max(scale, 1.0),
                 radius = box ? widened / 2 : widened;
    std::vector<double> weights;
    for (int k = 0; k < count; ++k) {
      const double center = (double(begin + k) + 0.5) * scale;
      const int first = std::max(0, int(center - radius + 0.5)),
                last = std::min(in, int(center + radius + 0.5));
      weights.clear();
      double sum = 0;
      for (int i = first; i < last; ++i) {
        const double distance = (i + 0.5 - center) / widened;
        weights.push_back(box ? (distance > -0.5 && distance <= 0.5)
                              : std::max(0.0, 1 - std::abs(distance)));
        sum += weights.back();
      }
      taps_[k] = {first, last - first, weights_.size()};
      for (const double w : weights)
        weights_.push_back(std::int32_t(std::lround(w / sum * (1 << resize_bits))));
    }
  }
  int first() const { return taps_.front().first; }
  int last() const { return taps_.back().first + taps_.back().count; }

  /// Output k, `count` neighbouring bytes of it, from pixels `stride` bytes apart, of which number
  /// `origin` is at `from`.
  void apply(int k, const std::uint8_t* from, int origin, std::size_t stride, std::size_t count,
             std::uint8_t* out) const {
    const Tap& tap = taps_[k];
    const std::int32_t* weights = weights_.data() + tap.at;
    from += (tap.first - origin) * stride;
    for (std::size_t c = 0; c < count; ++c) {
      std::int64_t sum = std::int64_t(1) << (resize_bits - 1);
      for (int i = 0; i < tap.count; ++i) sum += std::int64_t(weights[i]) * from[i * stride + c];
      out[c] = std::uint8_t(std::clamp<std::int64_t>(sum >> resize_bits, 0, 255));
    }
  }

 private:
  struct Tap {
    int first, count;
    std::size_t at;
  };
  std::vector<Tap> taps_;
  std::vector<std::int32_t> weights_;
};

}  // namespace detail

/// A window of the picture resized to (height, width); nothing outside it is computed. Errors:
/// UsageError (an empty picture, a window that is not within).
inline Picture resize(const Picture& from, long height, long width, const Window& window,
                      Filter filter = Filter::bilinear) {
  require(from.h > 0 && from.w > 0 && from.pixels.size() == std::size_t(from.h) * from.w * from.c,
          "resize: expected a picture with pixels, found an empty one");
  require(window.h > 0 && window.w > 0 && window.top >= 0 && window.left >= 0 &&
              window.top + window.h <= height && window.left + window.w <= width,
          [&] {
            return "resize: expected a window within " + std::to_string(height) + " x " +
                   std::to_string(width) + ", found " + std::to_string(window.h) + " x " +
                   std::to_string(window.w) + " at (" + std::to_string(window.top) + ", " +
                   std::to_string(window.left) + ")";
          });
  const detail::ResizeTaps across(from.w, width, window.left, window.w, filter),
      down(from.h, height, window.top, window.h, filter);
  const std::size_t row = std::size_t(window.w) * from.c;
  const int first = down.first(), rows = down.last() - first;
  std::vector<std::uint8_t> narrow(rows * row);  // (rows, window.w, c)
  for (int y = 0; y < rows; ++y)
    for (int x = 0; x < window.w; ++x)
      across.apply(x, from.pixels.data() + std::size_t(first + y) * from.w * from.c, 0, from.c,
                   from.c, narrow.data() + y * row + std::size_t(x) * from.c);
  Picture to{window.h, window.w, from.c, std::vector<std::uint8_t>(window.h * row)};
  for (int y = 0; y < window.h; ++y)
    down.apply(y, narrow.data(), first, row, row, to.pixels.data() + y * row);
  return to;
}

/// The whole picture resized to (height, width).
inline Picture resize(const Picture& from, int height, int width,
                      Filter filter = Filter::bilinear) {
  return resize(from, height, width, {0, 0, height, width}, filter);
}

}  // namespace rnx::inline RNX_ISA::data
