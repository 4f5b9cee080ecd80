// Steps of first-order attacks on images in [0, 1]. Radius and step come from StepValues. Rows are
// samples of c values.
#pragma once

#include "rnx/kernels/kernel.hpp"

namespace rnx::inline RNX_ABI::op {

/// -1, 0 or 1; a NaN stays one, so that a gradient that is NaN makes an image that no check lets
/// pass.
template <class T> RNX_SHARED T direction(T g) {
  return g > T(0) ? T(1) : g < T(0) ? T(-1) : g == T(0) ? T(0) : g;
}

/// Of a perturbation.
enum class Norm { linf, l2, l1 };

/// Maps are dense.
/// start: Linf x + U(-eps, eps); L2 x + eps n / (|n| + 1e-10) on the sphere; clipped to [0, 1].
/// Keyed by (seed, draw, sample id): values->seed + seed, values->draw + draw, first_sample + row,
/// or + samples[row] where the rows are chosen from a batch.
/// noise > 0: x + noise n instead, n standard normal (the start of TRADES, Zhang et al. 2019).
template <class T> struct attack_start {
  Map<const T> clean;
  Map<T> adversarial;
  const StepValues* values;
  Norm norm;
  std::uint64_t draw;
  std::uint64_t first_sample;
  double noise = 0;
  std::uint64_t seed = 0;
  const std::int32_t* samples = nullptr;
  auto pointers() { return std::tie(clean.data, adversarial.data, values, samples); }
};
/// Linf: clip(x' + step direction(g), x -+ eps); L2: x' + step g / (|g| + 1e-10), delta scaled by
/// eps / (|delta| + 1e-7) when longer; then [0, 1]. fgsm: the step has length eps.
template <class T> struct attack_step {
  Map<const T> clean;
  Map<const T> gradient;
  Map<T> adversarial;
  const StepValues* values;
  Norm norm;
  bool fgsm;
  auto pointers() { return std::tie(clean.data, gradient.data, adversarial.data, values); }
};

}  // namespace rnx::inline RNX_ABI::op
