// Digital corruptions of the benchmark: contrast, colours, elastic maps, pixels.
#pragma once

#include <array>

#include "rnx/core/error.hpp"
#include "rnx/data/corruption/field.hpp"

namespace rnx::inline RNX_ISA::data::corruption {

/// Every channel towards its mean.
inline void contrast(Field& f, double keep) {
  for (int k = 0; k < f.c; ++k) {
    double mean = 0;
    for (std::size_t i = std::size_t(k); i < f.v.size(); i += std::size_t(f.c)) mean += f.v[i];
    mean /= double(f.h) * f.w;
    for (std::size_t i = std::size_t(k); i < f.v.size(); i += std::size_t(f.c))
      f.v[i] = (f.v[i] - mean) * keep + mean;
  }
}

/// Hue, saturation and value, each in [0, 1].
struct Hsv {
  double h = 0, s = 0, v = 0;
};
inline Hsv hsv(const double* rgb) {
  const double r = rgb[0], g = rgb[1], b = rgb[2];
  const double v = std::max({r, g, b}), span = v - std::min({r, g, b});
  if (span == 0) return {.v = v};
  double h = (g - b) / span;  // red
  if (g == v) h = 2 + (b - r) / span;
  if (b == v) h = 4 + (r - g) / span;
  h /= 6;
  return {.h = h - std::floor(h), .s = span / v, .v = v};
}
inline std::array<double, 3> rgb(const Hsv& c) {
  const double sector = std::floor(c.h * 6), f = c.h * 6 - sector;
  const double p = c.v * (1 - c.s), q = c.v * (1 - f * c.s), t = c.v * (1 - (1 - f) * c.s);
  switch (int(sector) % 6) {
    case 0: return {c.v, t, p};
    case 1: return {q, c.v, p};
    case 2: return {p, c.v, t};
    case 3: return {p, q, c.v};
    case 4: return {t, p, c.v};
    default: return {c.v, p, q};
  }
}
/// What `change` makes of every pixel's hue, saturation and value; of a grey picture, with
/// saturation 0.
template <class Change> void change_hsv(Field& f, const Change& change) {
  for (std::size_t i = 0; i < f.v.size(); i += std::size_t(f.c)) {
    const double grey[] = {f.v[i], f.v[i], f.v[i]};
    Hsv c = hsv(f.c == 3 ? &f.v[i] : grey);
    change(c);
    const std::array<double, 3> to = rgb(c);
    for (int k = 0; k < f.c; ++k) f.v[i + std::size_t(k)] = to[std::size_t(k)];
  }
}
inline void brightness(Field& f, double more) {
  change_hsv(f, [&](Hsv& c) { c.v = std::clamp(c.v + more, 0.0, 1.0); });
}
inline void saturate(Field& f, double times, double more) {
  change_hsv(f, [&](Hsv& c) { c.s = std::clamp(c.s * times + more, 0.0, 1.0); });
}

namespace detail {

/// (x, y) of the result shows (m[0] x + m[1] y + m[2], m[3] x + m[4] y + m[5]).
using Map = std::array<double, 6>;

/// The affine map that takes three points to three others, and its inverse.
inline Map map_between(const std::array<double, 6>& from, const std::array<double, 6>& to) {
  const double x1 = from[2] - from[0], y1 = from[3] - from[1], x2 = from[4] - from[0],
               y2 = from[5] - from[1], det = x1 * y2 - x2 * y1;
  Map m{};
  for (int k = 0; k < 2; ++k) {
    const double u1 = to[std::size_t(2 + k)] - to[std::size_t(k)],
                 u2 = to[std::size_t(4 + k)] - to[std::size_t(k)];
    const double a = (u1 * y2 - u2 * y1) / det, b = (u2 * x1 - u1 * x2) / det;
    m[std::size_t(3 * k)] = a;
    m[std::size_t(3 * k + 1)] = b;
    m[std::size_t(3 * k + 2)] = to[std::size_t(k)] - a * from[0] - b * from[1];
  }
  return m;
}
/// The source's coordinate in 32nds of a pixel, as OpenCV's warpAffine counts.
inline long in_32nds(double a, double b, double c, int x, int y) {
  const auto rounded = [](double v) { return std::lrint(v * 1024); };
  return (rounded(a * x) + rounded(b * y + c) + 16) >> 5;
}
inline double bilinear(const Field& f, double y, double x, int k, Edge edge) {
  const double y0 = std::floor(y), x0 = std::floor(x), dy = y - y0, dx = x - x0;
  const int top = inside(long(y0), f.h, edge), low = inside(long(y0) + 1, f.h, edge),
            left = inside(long(x0), f.w, edge), right = inside(long(x0) + 1, f.w, edge);
  return (1 - dy) * ((1 - dx) * f.at(top, left, k) + dx * f.at(top, right, k)) +
         dy * ((1 - dx) * f.at(low, left, k) + dx * f.at(low, right, k));
}

}  // namespace detail

/// An affine map that moves three points by up to `jitter` pixels, then displacements smoothed by
/// `sigma` pixels, times `amount`.
template <class Numbers>
Field elastic(const Field& f, double amount, double sigma, double jitter, Numbers& numbers) {
  const double cy = f.h / 2, cx = f.w / 2, d = std::min(f.h, f.w) / 3;  // whole pixels
  const std::array<double, 6> from{cy + d, cx + d, cy + d, cx - d, cy - d, cx - d};
  std::array<double, 6> to = from;
  for (double& v : to) v += numbers.uniform(-jitter, jitter);
  const detail::Map back = detail::map_between(to, from);
  Field warped(f.h, f.w, f.c);
  for (int y = 0; y < f.h; ++y)
    for (int x = 0; x < f.w; ++x) {
      const double u = double(detail::in_32nds(back[0], back[1], back[2], x, y)) / 32,
                   v = double(detail::in_32nds(back[3], back[4], back[5], x, y)) / 32;
      for (int k = 0; k < f.c; ++k)
        warped.at(y, x, k) = detail::bilinear(f, v, u, k, Edge::mirror_101);
    }
  const auto displacement = [&] {
    Field g(f.h, f.w, 1);
    for (double& v : g.v) v = numbers.uniform(-1, 1);
    g = gaussian(g, sigma, Edge::mirror, 3);
    for (double& v : g.v) v *= amount;
    return g;
  };
  const Field dx = displacement(), dy = displacement();
  Field out(f.h, f.w, f.c);
  for (int y = 0; y < f.h; ++y)
    for (int x = 0; x < f.w; ++x)
      for (int k = 0; k < f.c; ++k)
        out.at(y, x, k) =
            detail::bilinear(warped, y + dy.at(y, x), x + dx.at(y, x), k, Edge::mirror);
  return out;
}

}  // namespace rnx::inline RNX_ISA::data::corruption
