// Weather of the corruption benchmark: snow, frost, fog.
#pragma once

#include "rnx/core/error.hpp"
#include "rnx/data/corruption/field.hpp"

namespace rnx::inline RNX_ISA::data::corruption {

struct Snow {
  double mean = 0, deviation = 0, zoom = 1, threshold = 0;
  int radius = 0;
  double sigma = 0, keep = 1;  ///< of the blur; the share of the picture that is not brightened
};

template <class Numbers> Field snow(const Field& f, const Snow& s, Numbers& numbers) {
  Field layer(f.h, f.w, 1);
  for (double& v : layer.v) v = s.mean + s.deviation * numbers.normal();
  layer = zoomed(layer, s.zoom);
  for (double& v : layer.v)
    if (v < s.threshold) v = 0;
  const double angle = numbers.uniform(-135, -45);
  layer = Field(motion_blur(Field(layer.picture(true)), s.radius, s.sigma, angle).picture(false));
  Field out = f;
  for (int y = 0; y < f.h; ++y)
    for (int x = 0; x < f.w; ++x) {
      const double grey =
          f.c == 3 ? 0.299 * f.at(y, x, 0) + 0.587 * f.at(y, x, 1) + 0.114 * f.at(y, x, 2)
                   : f.at(y, x, 0);
      const double flakes = layer.at(y, x) + layer.at(f.h - 1 - y, f.w - 1 - x);
      for (int k = 0; k < f.c; ++k) {
        const double v = f.at(y, x, k);
        out.at(y, x, k) = s.keep * v + (1 - s.keep) * std::max(v, 1.5 * grey + 0.5) + flakes;
      }
    }
  return out;
}

/// A height map of side x side points in [0, 1], toroidal, by the diamond-square algorithm; side is
/// a power of two, `decay` divides the heights' deviation at each octave.
template <class Numbers> Field plasma(int side, double decay, Numbers& numbers) {
  Field map(side, side, 1);
  double wibble = 100;
  const auto point = [&](int y, int x) { return map.at((y + side) % side, (x + side) % side); };
  const auto fill = [&](int first_y, int first_x, int step, const auto& neighbours) {
    for (int y = first_y; y < side; y += step)
      for (int x = first_x; x < side; x += step)
        map.at(y, x) = neighbours(y, x) / 4 + wibble * numbers.uniform(-wibble, wibble);
  };
  for (int step = side; step >= 2; step /= 2) {
    const int half = step / 2;
    const auto corners = [&](int y, int x) {
      return point(y - half, x - half) + point(y + half, x - half) + point(y - half, x + half) +
             point(y + half, x + half);
    };
    const auto sides = [&](int y, int x) {
      return point(y - half, x) + point(y + half, x) + point(y, x - half) + point(y, x + half);
    };
    fill(half, half, step, corners);
    fill(0, half, step, sides);
    fill(half, 0, step, sides);
    wibble /= decay;
  }
  const auto [least, most] = std::minmax_element(map.v.begin(), map.v.end());
  const double low = *least, range = *most - *least;
  for (double& v : map.v) v = (v - low) / range;
  return map;
}

inline int power_of_two_from(int n) {
  int side = 2;
  while (side < n) side *= 2;
  return side;
}

template <class Numbers> Field fog(const Field& f, double amount, double decay, Numbers& numbers) {
  const double most = *std::max_element(f.v.begin(), f.v.end());
  const Field map = plasma(power_of_two_from(std::max(f.h, f.w)), decay, numbers);
  Field out = f;
  for (int y = 0; y < f.h; ++y)
    for (int x = 0; x < f.w; ++x)
      for (int k = 0; k < f.c; ++k)
        out.at(y, x, k) = (f.at(y, x, k) + amount * map.at(y, x)) * most / (most + amount);
  return out;
}

/// `keep` of the picture and `amount` of any window of a picture of frost, which is no smaller.
template <class Numbers>
Field frost(const Field& f, double keep, double amount, const Picture& frost, Numbers& numbers) {
  require(frost.h > f.h && frost.w > f.w && frost.c == f.c, [&] {
    return "frost: expected a picture of more than " + std::to_string(f.h) + " x " +
           std::to_string(f.w) + " pixels and " + std::to_string(f.c) + " channels, found " +
           std::to_string(frost.h) + " x " + std::to_string(frost.w) + " and " +
           std::to_string(frost.c);
  });
  const int top = int(numbers.below(std::uint32_t(frost.h - f.h))),
            left = int(numbers.below(std::uint32_t(frost.w - f.w)));
  Field out = f;
  for (int y = 0; y < f.h; ++y)
    for (int x = 0; x < f.w; ++x)
      for (int k = 0; k < f.c; ++k) {
        const std::size_t i = (std::size_t(top + y) * frost.w + left + x) * frost.c + k;
        out.at(y, x, k) = keep * f.at(y, x, k) + amount * frost.pixels[i] / 255.0;
      }
  return out;
}

/// Ice computed from a height map, where there are no photographs: ridges, bluish white. Not the
/// benchmark's frost: its numbers do not compare with published ones.
template <class Numbers> Picture computed_frost(int side, int channels, Numbers& numbers) {
  const Field map = plasma(power_of_two_from(side), 1.8, numbers);
  const double tint[] = {0.86, 0.93, 1};
  Field ice(map.h, map.w, channels);
  for (int y = 0; y < map.h; ++y)
    for (int x = 0; x < map.w; ++x) {
      const double ridge = 1 - std::abs(2 * map.at(y, x) - 1);
      for (int k = 0; k < channels; ++k)
        ice.at(y, x, k) = ridge * ridge * ridge * (channels == 3 ? tint[k] : 1);
    }
  return ice.picture(true);
}

}  // namespace rnx::inline RNX_ISA::data::corruption
