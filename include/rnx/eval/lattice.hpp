// The 8-bit lattice, k / 255 with k from 0 to 255: what an image file can hold. An attack's floats
// lie between its points; a robust accuracy that a file shows counts images on it.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

#include "rnx/attack/norm.hpp"

namespace rnx::inline RNX_ISA::eval {

/// off: images are counted as the attack made them. report: likewise, and it is counted how many
/// lie on the lattice. project: each is moved to a point of the lattice in the ball and predicted
/// again, and that is the result.
enum class Lattice : unsigned char { off, report, project };

namespace detail {

/// The lattice's point k, as readers of images compute it.
inline float level(double k) { return float(k) / 255.0f; }
template <class T> bool on_lattice(T value) {
  return float(value) == level(std::nearbyint(255.0 * double(value)));
}
/// The next point on the way to `clean`, or `clean` itself, where it comes first.
inline double towards(double clean, double value) {
  const double at = 255 * value, near = std::nearbyint(at);
  const double k = std::abs(at - near) < 1e-4 ? near
                   : value > clean            ? std::floor(at)
                                              : std::ceil(at);
  const double point = level(k);
  return (value > clean) == (point > clean) ? point : clean;
}
inline double length(op::Norm norm, double sum, double d) {
  return norm == op::Norm::linf ? std::max(sum, std::abs(d))
         : norm == op::Norm::l2 ? sum + d * d
                                : sum + std::abs(d);
}

}  // namespace detail

/// Moves an image to the lattice: each pixel to the nearest point, in Linf to the nearest one in
/// the ball; where the image would leave an L2 or L1 ball, its pixels go to the next point on the
/// way to the clean ones instead. A pixel whose clean value is not on the lattice and that has no
/// point between keeps the clean value. Both images hold as many pixels, in [0, 1].
template <class T>
void project_to_lattice(op::Norm norm, double eps, std::span<const T> clean, std::span<T> image) {
  double sum = 0;
  std::vector<T> nearest(image.size());
  for (std::size_t i = 0; i < image.size(); ++i) {
    const double point = detail::level(std::nearbyint(255.0 * double(image[i])));
    const bool inside = norm != op::Norm::linf || std::abs(point - clean[i]) <= eps + 1e-7;
    nearest[i] = T(inside ? point : detail::towards(clean[i], image[i]));
    sum = detail::length(norm, sum, double(nearest[i]) - clean[i]);
  }
  const double radius = norm == op::Norm::l2 ? eps * eps : eps;
  if (norm == op::Norm::linf || sum <= radius) {
    std::copy(nearest.begin(), nearest.end(), image.begin());
    return;
  }
  for (std::size_t i = 0; i < image.size(); ++i) image[i] = T(detail::towards(clean[i], image[i]));
}

}  // namespace rnx::inline RNX_ISA::eval
