// What was measured on an attack's images themselves, whatever the attack says of them.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "rnx/eval/lattice.hpp"

namespace rnx::inline RNX_ISA::eval {

/// Of all images that an attack made, those of each restart included.
struct Audit {
  long images = 0;
  double linf = 0, l2 = 0, l1 = 0;  ///< largest perturbation of an image, in units of [0, 1]
  long not_finite = 0;              ///< pixels
  double least = std::numeric_limits<double>::infinity(), most = -least;  ///< pixels
  long on_lattice = 0;  ///< images all of whose pixels lie on it (lattice.hpp)

  template <class T> void add(std::span<const T> clean, std::span<const T> image) {
    double largest = 0, squares = 0, sum = 0;
    bool lattice = true;
    for (std::size_t i = 0; i < image.size(); ++i) {
      const double pixel = image[i], d = std::abs(pixel - clean[i]);
      if (!std::isfinite(pixel)) {
        ++not_finite;
        lattice = false;
        continue;
      }
      largest = std::max(largest, d);
      squares += d * d;
      sum += d;
      least = std::min(least, pixel);
      most = std::max(most, pixel);
      lattice = lattice && detail::on_lattice(image[i]);
    }
    *this += {1, largest, std::sqrt(squares), sum, 0, least, most, lattice};
  }
  Audit& operator+=(const Audit& a) {
    images += a.images;
    linf = std::max(linf, a.linf);
    l2 = std::max(l2, a.l2);
    l1 = std::max(l1, a.l1);
    not_finite += a.not_finite;
    least = std::min(least, a.least);
    most = std::max(most, a.most);
    on_lattice += a.on_lattice;
    return *this;
  }
  friend bool operator==(const Audit&, const Audit&) = default;
};

}  // namespace rnx::inline RNX_ISA::eval
