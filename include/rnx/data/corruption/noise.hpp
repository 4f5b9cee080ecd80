// Noise and blurs of the corruption benchmark.
#pragma once

#include "rnx/data/corruption/field.hpp"

namespace rnx::inline RNX_ISA::data::corruption {

/// x + N(0, sigma^2); of speckle: x + x N(0, sigma^2).
template <class Numbers> void add_gaussian(Field& f, double sigma, bool speckle, Numbers& numbers) {
  for (double& v : f.v) v += (speckle ? v : 1) * sigma * numbers.normal();
}

/// Photons: Poisson(x photons) / photons.
template <class Numbers> void shot(Field& f, double photons, Numbers& numbers) {
  for (double& v : f.v) v = double(numbers.poisson(v * photons)) / photons;
}

/// With this probability an element becomes 1 or 0.
template <class Numbers> void salt_and_pepper(Field& f, double probability, Numbers& numbers) {
  std::vector<bool> hit;
  for (std::size_t i = 0; i < f.v.size(); ++i) hit.push_back(numbers.uniform() <= probability);
  for (std::size_t i = 0; i < f.v.size(); ++i) {
    const bool salt = numbers.uniform() <= 0.5;
    if (hit[i]) f.v[i] = salt ? 1 : 0;
  }
}

/// A disk whose rim is smoothed by a 3 x 3 Gaussian.
inline Field defocused(const Field& f, double radius, double rim) {
  constexpr int reach = 8;
  Field disk(2 * reach + 1, 2 * reach + 1, 1);
  double count = 0;
  for (int y = -reach; y <= reach; ++y)
    for (int x = -reach; x <= reach; ++x)
      if (x * x + y * y <= radius * radius) {
        disk.at(y + reach, x + reach) = 1;
        ++count;
      }
  for (double& v : disk.v) v /= count;
  const std::vector<double> smooth = gaussian_weights(rim, 1);
  disk = detail::along(detail::along(disk, smooth, true, Edge::mirror_101), smooth, false,
                       Edge::mirror_101);
  Field out(f.h, f.w, f.c);
  for (int v = -reach; v <= reach; ++v)
    for (int u = -reach; u <= reach; ++u) {
      const double weight = disk.at(v + reach, u + reach);
      if (weight == 0) continue;
      for (int y = 0; y < f.h; ++y)
        for (int x = 0; x < f.w; ++x)
          for (int k = 0; k < f.c; ++k)
            out.at(y, x, k) += weight * f.at(inside(y + v, f.h, Edge::mirror_101),
                                             inside(x + u, f.w, Edge::mirror_101), k);
    }
  return out;
}

/// Pixels take the place of neighbours up to `reach` away. The published code means to swap the
/// two, and copies one.
template <class Numbers>
Field glass(const Field& f, double sigma, int reach, int rounds, bool swap, Numbers& numbers) {
  Field g(gaussian(f, sigma).picture(true));
  for (int round = 0; round < rounds; ++round)
    for (int y = g.h - reach; y > reach; --y)
      for (int x = g.w - reach; x > reach; --x) {
        const int dx = int(numbers.below(std::uint32_t(2 * reach))) - reach,
                  dy = int(numbers.below(std::uint32_t(2 * reach))) - reach;
        for (int k = 0; k < g.c; ++k) {
          const double here = g.at(y, x, k);
          g.at(y, x, k) = g.at(y + dy, x + dx, k);
          if (swap) g.at(y + dy, x + dx, k) = here;
        }
      }
  return gaussian(g, sigma);
}

/// The mean of the picture and `count` enlargements of it, each 0.01 more; the first is by 1.
inline Field zoom_blur(const Field& f, int count) {
  const double step = (1 + 0.01) - 1;  // as NumPy's arange counts
  Field out = f;
  for (int i = 0; i < count; ++i) {
    const Field z = zoomed(f, 1 + i * step);
    for (std::size_t j = 0; j < z.v.size(); ++j) out.v[j] += z.v[j];
  }
  for (double& v : out.v) v /= count + 1;
  return out;
}

}  // namespace rnx::inline RNX_ISA::data::corruption
