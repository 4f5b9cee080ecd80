// Spatter of water or mud, with what the published code takes from OpenCV: Canny's edges, the
// distance to them, an equalized histogram.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>

#include "rnx/data/corruption/field.hpp"

namespace rnx::inline RNX_ISA::data::corruption {

namespace detail {

/// A picture of one channel in whole numbers, 0 outside.
struct Plane {
  int h = 0, w = 0;
  std::vector<int> v{};

  Plane(int height, int width) : h(height), w(width), v(std::size_t(height) * width) {}
  int& at(int y, int x) { return v[std::size_t(y) * w + x]; }
  int at(int y, int x) const {
    return y < 0 || x < 0 || y >= h || x >= w ? 0 : v[std::size_t(y) * w + x];
  }
};

/// Sums of 3 x 3 neighbours.
inline Plane filtered(const Plane& p, const std::array<int, 9>& weights, Edge edge) {
  Plane out(p.h, p.w);
  for (int y = 0; y < p.h; ++y)
    for (int x = 0; x < p.w; ++x)
      for (int i = 0; i < 9; ++i)
        out.at(y, x) += weights[std::size_t(i)] *
                        p.at(inside(y + i / 3 - 1, p.h, edge), inside(x + i % 3 - 1, p.w, edge));
  return out;
}

/// Is the gradient at (y, x) the largest along its direction?
inline bool is_ridge(const Plane& size, int y, int x, int gx, int gy) {
  const long across = std::abs(gx), down = std::abs(gy);
  const int m = size.at(y, x);
  if (down * 32768 < across * 13573) return m > size.at(y, x - 1) && m >= size.at(y, x + 1);
  if (down * 32768 > across * (13573 + 65536))
    return m > size.at(y - 1, x) && m >= size.at(y + 1, x);
  const int s = (gx ^ gy) < 0 ? -1 : 1;
  return m > size.at(y - 1, x - s) && m > size.at(y + 1, x + s);
}

/// Canny's edges of bytes, 1 on them: ridges of the gradient above `high`, and those above `low`
/// that hang together with one.
inline Plane edges(const Plane& p, int low, int high) {
  const Plane gx = filtered(p, {-1, 0, 1, -2, 0, 2, -1, 0, 1}, Edge::nearest),
              gy = filtered(p, {-1, -2, -1, 0, 0, 0, 1, 2, 1}, Edge::nearest);
  Plane size(p.h, p.w), weak(p.h, p.w), strong(p.h, p.w);
  for (std::size_t i = 0; i < size.v.size(); ++i) size.v[i] = std::abs(gx.v[i]) + std::abs(gy.v[i]);
  std::vector<std::array<int, 2>> left;
  for (int y = 0; y < p.h; ++y)
    for (int x = 0; x < p.w; ++x)
      if (size.at(y, x) > low && is_ridge(size, y, x, gx.at(y, x), gy.at(y, x))) {
        weak.at(y, x) = 1;
        if (size.at(y, x) > high) left.push_back({y, x});
      }
  while (!left.empty()) {
    const auto [y, x] = left.back();
    left.pop_back();
    if (strong.at(y, x) != 0) continue;
    strong.at(y, x) = 1;
    for (int i = 0; i < 9; ++i) {
      const int yy = y + i / 3 - 1, xx = x + i % 3 - 1;
      if (static_cast<const Plane&>(weak).at(yy, xx) != 0) left.push_back({yy, xx});
    }
  }
  return strong;
}

/// The distance to the nearest edge: steps of 1, 1.4 and 2.1969 (Borgefors 1986, 5 x 5).
inline Field distance_to(const Plane& edges) {
  struct Step {
    int y, x;
    double length;
  };
  static constexpr Step steps[] = {{-1, 0, 1},       {0, -1, 1},       {-1, -1, 1.4},
                                   {-1, 1, 1.4},     {-2, -1, 2.1969}, {-2, 1, 2.1969},
                                   {-1, -2, 2.1969}, {-1, 2, 2.1969}};
  Field d(edges.h, edges.w, 1);
  for (std::size_t i = 0; i < d.v.size(); ++i) d.v[i] = edges.v[i] != 0 ? 0 : 1e6;
  const auto relax = [&](int y, int x, int sign) {
    for (const Step& s : steps) {
      const int yy = y + sign * s.y, xx = x + sign * s.x;
      if (yy >= 0 && xx >= 0 && yy < d.h && xx < d.w)
        d.at(y, x) = std::min(d.at(y, x), d.at(yy, xx) + s.length);
    }
  };
  for (int y = 0; y < d.h; ++y)
    for (int x = 0; x < d.w; ++x) relax(y, x, 1);
  for (int y = d.h - 1; y >= 0; --y)
    for (int x = d.w - 1; x >= 0; --x) relax(y, x, -1);
  return d;
}

/// The levels' histogram spread over 0 to 255.
inline void equalize(Plane& p) {
  std::array<int, 256> count{};
  for (const int v : p.v) ++count[std::size_t(v)];
  std::size_t first = 0;
  while (count[first] == 0) ++first;
  const int rest = int(p.v.size()) - count[first];
  if (rest == 0) return;
  std::array<int, 256> to{};
  int sum = 0;
  for (std::size_t i = first + 1; i < 256; ++i) {
    sum += count[i];
    to[i] = int(std::lrint(sum * (255.0f / float(rest))));
  }
  for (int& v : p.v) v = to[std::size_t(v)];
}

/// How the light falls into drops of this shape: bytes.
inline Plane relief(const Plane& drops) {
  constexpr std::array<int, 9> ones{1, 1, 1, 1, 1, 1, 1, 1, 1};
  const Field distance = distance_to(edges(drops, 50, 150));
  Plane p(drops.h, drops.w);
  for (int y = 0; y < p.h; ++y)
    for (int x = 0; x < p.w; ++x) {
      double sum = 0;
      for (int i = 0; i < 9; ++i)
        sum += std::min(20.0, distance.at(inside(y + i / 3 - 1, p.h, Edge::mirror_101),
                                          inside(x + i % 3 - 1, p.w, Edge::mirror_101)));
      p.at(y, x) = int(sum / 9 + 1e-6);  // a sum of nine twenties is 20
    }
  equalize(p);
  p = filtered(p, {-2, -1, 0, -1, 1, 1, 0, 1, 2}, Edge::mirror_101);
  for (int& v : p.v) v = std::clamp(v, 0, 255);
  p = filtered(p, ones, Edge::mirror_101);
  for (int& v : p.v) v = int(std::lrint(v / 9.0));
  return p;
}

}  // namespace detail

struct Spatter {
  double mean = 0, deviation = 0, sigma = 0, threshold = 0;  ///< of the drops
  double strength = 0;                                       ///< of water; the blur of mud
  bool mud = false;
};

template <class Numbers> Field spatter(const Field& f, const Spatter& s, Numbers& numbers) {
  Field drops(f.h, f.w, 1);
  for (double& v : drops.v) v = s.mean + s.deviation * numbers.normal();
  drops = gaussian(drops, s.sigma);
  std::array<double, 3> colour{63 / 255.0, 42 / 255.0, 20 / 255.0};
  Field share(f.h, f.w, 1);
  if (s.mud) {
    for (std::size_t i = 0; i < share.v.size(); ++i) share.v[i] = drops.v[i] > s.threshold ? 1 : 0;
    share = gaussian(share, s.strength);
    for (double& v : share.v)
      if (v < 0.8) v = 0;
  } else {
    colour = {175 / 255.0, 238 / 255.0, 238 / 255.0};
    detail::Plane bytes(f.h, f.w);
    for (std::size_t i = 0; i < bytes.v.size(); ++i)
      bytes.v[i] = drops.v[i] < s.threshold ? 0 : std::min(255, int(drops.v[i] * 255));
    const detail::Plane light = detail::relief(bytes);
    double most = 0;
    for (std::size_t i = 0; i < share.v.size(); ++i)
      most = std::max(most, share.v[i] = double(bytes.v[i]) * light.v[i]);
    for (double& v : share.v) v = most > 0 ? v / most * s.strength : 0;
  }
  if (f.c == 1) colour[0] = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2];
  Field out = f;
  for (std::size_t i = 0; i < out.v.size(); ++i) {
    const double part = share.v[i / std::size_t(f.c)];
    out.v[i] = (s.mud ? 1 - part : 1) * f.v[i] + part * colour[i % std::size_t(f.c)];
  }
  return out;
}

}  // namespace rnx::inline RNX_ISA::data::corruption
