// Shapes of one sample: (channels, height, width), the field's order. The batch is a run-time
// number.
#pragma once

#include <cstddef>
#include <string>

#include "rnx/config.hpp"

namespace rnx::inline RNX_ABI {

/// Channels, height, width of one sample. {0,0,0} marks a shape that could not be inferred.
struct Dims {
  int c = 0, h = 1, w = 1;
  constexpr std::size_t count() const { return std::size_t(c) * h * w; }
  constexpr int pixels() const { return h * w; }
  constexpr bool valid() const { return c > 0 && h > 0 && w > 0; }
  friend constexpr bool operator==(const Dims&, const Dims&) = default;
  std::string text() const {
    return std::string(1, '(')
        .append(std::to_string(c))
        .append(", ")
        .append(std::to_string(h))
        .append(", ")
        .append(std::to_string(w))
        .append(")");
  }
};

/// Linear<at_run_time>: as many outputs as the network has classes, a number that its constructor
/// takes. Only a network's last layer may be one: its static shape is not known.
inline constexpr int at_run_time = -1;
inline constexpr int maximum_classes = 1 << 20;

/// The static shape of one sample: Shape<3, 32, 32> is an image, Shape<75> a vector of 75 features.
template <int C, int H = 1, int W = 1> struct Shape { static constexpr Dims dims{C, H, W}; };

template <Dims D> struct shape_from { using type = Shape<D.c, D.h, D.w>; };
template <Dims D> using shape_of = typename shape_from<D>::type;

/// floor((in + 2 pad - kernel) / stride) + 1
constexpr int window_out(int in, int kernel, int stride, int pad) {
  return (in + 2 * pad - kernel) < 0 ? 0 : (in + 2 * pad - kernel) / stride + 1;
}

/// Channels rounded to a multiple of `divisor`, never below 0.9 of the value (the MobileNet rule).
constexpr int make_divisible(double value, int divisor = 8) {
  int rounded = int(value + divisor / 2.0) / divisor * divisor;
  if (rounded < divisor) rounded = divisor;
  if (rounded < 0.9 * value) rounded += divisor;
  return rounded;
}

constexpr std::size_t round_up(std::size_t value, std::size_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

}  // namespace rnx::inline RNX_ABI
