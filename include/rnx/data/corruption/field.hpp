// A picture in numbers, for the corruptions (../corruption.hpp), and the filters that they share.
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "rnx/data/picture.hpp"

namespace rnx::inline RNX_ISA::data::corruption {

/// Levels (h, w, c), black 0, white 1.
struct Field {
  int h = 0, w = 0, c = 1;
  std::vector<double> v{};

  Field() = default;
  Field(int height, int width, int channels)
      : h(height),
        w(width),
        c(channels),
        v(std::size_t(height) * width * channels) {}
  explicit Field(const Picture& p) : Field(p.h, p.w, p.c) {
    for (std::size_t i = 0; i < v.size(); ++i) v[i] = p.pixels[i] / 255.0;
  }
  std::size_t index(int y, int x, int k = 0) const { return (std::size_t(y) * w + x) * c + k; }
  double& at(int y, int x, int k = 0) { return v[index(y, x, k)]; }
  double at(int y, int x, int k = 0) const { return v[index(y, x, k)]; }

  /// Bytes, cut to their range; truncated, or rounded.
  Picture picture(bool truncate) const {
    Picture p{h, w, c, std::vector<std::uint8_t>(v.size())};
    for (std::size_t i = 0; i < v.size(); ++i)
      p.pixels[i] = std::uint8_t(std::clamp(v[i] * 255 + (truncate ? 0 : 0.5), 0.0, 255.0));
    return p;
  }
};

/// Beyond the edge lies: the edge's pixel, the mirror image with it, the mirror image without it.
enum class Edge { nearest, mirror, mirror_101 };

inline int inside(long i, int n, Edge edge) {
  if (edge == Edge::nearest) return int(std::clamp(i, 0l, long(n) - 1));
  const long period = edge == Edge::mirror ? 2l * n : std::max(2l * n - 2, 1l);
  i = ((i % period) + period) % period;
  if (i < n) return int(i);
  return int(edge == Edge::mirror ? period - 1 - i : period - i);
}

/// exp(-x^2 / (2 sigma^2)) at -radius ... radius, over their sum.
inline std::vector<double> gaussian_weights(double sigma, int radius) {
  std::vector<double> weights;
  double sum = 0;
  for (int i = -radius; i <= radius; ++i) {
    weights.push_back(std::exp(-0.5 * i * i / (sigma * sigma)));
    sum += weights.back();
  }
  for (double& w : weights) w /= sum;
  return weights;
}

namespace detail {

/// Sums over a line of neighbours, along y or x.
inline Field along(const Field& f, const std::vector<double>& weights, bool down, Edge edge) {
  const int radius = int(weights.size()) / 2;
  Field out(f.h, f.w, f.c);
  for (int y = 0; y < f.h; ++y)
    for (int x = 0; x < f.w; ++x)
      for (int i = -radius; i <= radius; ++i) {
        const int yy = down ? inside(y + i, f.h, edge) : y,
                  xx = down ? x : inside(x + i, f.w, edge);
        for (int k = 0; k < f.c; ++k)
          out.at(y, x, k) += weights[std::size_t(i + radius)] * f.at(yy, xx, k);
      }
  return out;
}

}  // namespace detail

/// Gaussian blur out to `reach` sigma. A sigma of 0 changes nothing.
inline Field gaussian(const Field& f, double sigma, Edge edge = Edge::nearest, double reach = 4) {
  if (sigma <= 0) return f;
  const std::vector<double> weights = gaussian_weights(sigma, int(reach * sigma + 0.5));
  return detail::along(detail::along(f, weights, true, edge), weights, false, edge);
}

/// The part of the middle that `zoom` enlarges to the field's size, bilinear; corners meet corners.
inline Field zoomed(const Field& f, double zoom) {
  const auto middle = [&](int n) { return int(std::ceil(n / zoom)); };
  const int h = middle(f.h), w = middle(f.w), top = (f.h - h) / 2, left = (f.w - w) / 2;
  const int high = int(std::nearbyint(h * zoom)), wide = int(std::nearbyint(w * zoom));
  const int trim_y = (high - f.h) / 2, trim_x = (wide - f.w) / 2;
  const auto source = [](int i, int in, int out) {
    return out > 1 ? double(i) * (in - 1) / (out - 1) : 0.0;
  };
  Field out(f.h, f.w, f.c);
  for (int y = 0; y < f.h; ++y) {
    const double sy = source(y + trim_y, h, high);
    const int y0 = std::min(int(sy), h - 1), y1 = std::min(y0 + 1, h - 1);
    for (int x = 0; x < f.w; ++x) {
      const double sx = source(x + trim_x, w, wide);
      const int x0 = std::min(int(sx), w - 1), x1 = std::min(x0 + 1, w - 1);
      const double dy = sy - y0, dx = sx - x0;
      for (int k = 0; k < f.c; ++k)
        out.at(y, x, k) =
            (1 - dy) *
                ((1 - dx) * f.at(top + y0, left + x0, k) + dx * f.at(top + y0, left + x1, k)) +
            dy * ((1 - dx) * f.at(top + y1, left + x0, k) + dx * f.at(top + y1, left + x1, k));
    }
  }
  return out;
}

/// Blur along a line that begins at the pixel: ImageMagick's motion blur, as the package
/// imagecorruptions states it. The angle in degrees.
inline Field motion_blur(const Field& f, int radius, double sigma, double angle) {
  const int width = 2 * radius + 1;
  std::vector<double> weights;
  double sum = 0;
  for (int i = 0; i < width; ++i) {
    weights.push_back(std::exp(-double(i) * i / (2 * sigma * sigma)));
    sum += weights.back();
  }
  const double radians = angle * (std::numbers::pi / 180);
  Field out(f.h, f.w, f.c);
  for (int i = 0; i < width; ++i) {
    const long dy = -long(std::ceil(i * std::sin(radians) - 0.5)),
               dx = -long(std::ceil(i * std::cos(radians) - 0.5));
    if (std::abs(dy) >= f.h || std::abs(dx) >= f.w) break;  // what is left lies outside
    for (int y = 0; y < f.h; ++y)
      for (int x = 0; x < f.w; ++x)
        for (int k = 0; k < f.c; ++k)
          out.at(y, x, k) +=
              weights[std::size_t(i)] / sum *
              f.at(inside(y - dy, f.h, Edge::nearest), inside(x - dx, f.w, Edge::nearest), k);
  }
  return out;
}

}  // namespace rnx::inline RNX_ISA::data::corruption
