// AugMix (Hendrycks et al. 2020, "AugMix: A simple data processing method to improve robustness and
// uncertainty"), as an operation of an augmentation.
#pragma once

#include <cmath>
#include <vector>

#include "rnx/data/augment.hpp"
#include "rnx/data/byte_operations.hpp"

namespace rnx::inline RNX_ISA::data {

/// The sample, mixed with a mixture of `width` chains of operations on it: (1 - m) x + m (w_1 x_1 +
/// ... + w_width x_width), the weights from Dirichlet(1, ..., 1), m from Beta(1, 1). A chain has
/// `depth` operations, or 1 to 3 where depth is 0, each any of nine: contrast, equalize, posterize,
/// rotate, solarize, shear and translate in x and in y. Their strengths are drawn from 0.1 up to
/// `severity`, on a scale that ends at 10. They see bytes, as in the published code, whose
/// distributions these are; a translation of the strongest kind moves by a third of the size.
/// Without the loss on several views (JSD) of its paper.
struct AugMix {
  static constexpr const char* name = "augmix";
  int width = 3, depth = 0;
  double severity = 3;

  static void numbers(auto& self, auto&& each) {
    each("width", self.width);
    each("depth", self.depth);
    each("severity", self.severity);
  }
  void check(const Dims&) const {
    require(width >= 1, [&] {
      return "augmix: expected a width of at least 1, found " + std::to_string(width);
    });
    require(depth >= 0, [&] {
      return "augmix: expected a depth of at least 0, found " + std::to_string(depth);
    });
    require(severity > 0.1 && severity <= 10, [&] {
      return "augmix: expected a severity above 0.1, up to 10, found " + number_text(severity);
    });
  }
  void operator()(View<float, cpu> x, Draws& draws) const {
    const std::size_t count = x.count();
    const auto chains = std::size_t(width);
    std::vector<float> weights(chains), mixture(count);
    double sum = 0;
    for (float& w : weights) {  // Dirichlet(1, ..., 1): exponential numbers over their sum
      w = float(-std::log1p(-draws.uniform()));
      sum += w;
    }
    const float m = float(draws.uniform());
    std::vector<std::uint8_t> original(count), chain(count), other(count);
    for (std::size_t i = 0; i < count; ++i) original[i] = to_byte(x.data[i]);
    for (const float w : weights) {
      chain = original;
      const int operations = depth > 0 ? depth : 1 + int(draws.below(3));
      for (int k = 0; k < operations; ++k) apply_any(chain, other, x.dims, draws);
      const float share = sum > 0 ? float(w / sum) : 1 / float(width);
      for (std::size_t i = 0; i < count; ++i) mixture[i] += share * (chain[i] * (1 / 255.0f));
    }
    for (std::size_t i = 0; i < count; ++i) x.data[i] = (1 - m) * x.data[i] + m * mixture[i];
  }

 private:
  using Bytes = std::vector<std::uint8_t>;

  /// A NaN is 0 here, and stays one in its own share of the mixture.
  static std::uint8_t to_byte(float v) {
    return v > 0 ? std::uint8_t(std::min(v * 255 + 0.5f, 255.0f)) : std::uint8_t(0);
  }
  /// The part of `most` that a strength stands for.
  double strength(double most, Draws& draws) const {
    return draws.uniform(0.1, severity) * most / 10;
  }
  static double either_sign(double v, Draws& draws) { return draws.uniform() > 0.5 ? -v : v; }

  void apply_any(Bytes& picture, Bytes& other, const Dims& d, Draws& draws) const {
    switch (const std::uint32_t kind = draws.below(9)) {
      case 0: return bytes::auto_contrast(picture, d);
      case 1: return bytes::equalize(picture, d);
      case 2: return bytes::posterize(picture, 4 - int(strength(4, draws)));
      case 3: return bytes::solarize(picture, 256 - int(strength(256, draws)));
      default:
        bytes::transform(picture.data(), d, any_map(kind, d, draws), other.data());
        picture.swap(other);
    }
  }
  bytes::Affine any_map(std::uint32_t kind, const Dims& d, Draws& draws) const {
    bytes::Affine map;
    switch (kind) {
      case 4: return bytes::rotation(either_sign(int(strength(30, draws)), draws), d);
      case 5: map.bx = either_sign(strength(0.3, draws), draws); break;
      case 6: map.ay = either_sign(strength(0.3, draws), draws); break;
      case 7: map.cx = either_sign(int(strength(d.w / 3.0, draws)), draws); break;
      default: map.cy = either_sign(int(strength(d.h / 3.0, draws)), draws);
    }
    return map;
  }
};

}  // namespace rnx::inline RNX_ISA::data
