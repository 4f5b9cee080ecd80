// Differences of logits that tell how far a row is from being misclassified: values above 0 where
// it is (towards a target: where the target beats the label).
#pragma once

#include <cstddef>
#include <limits>

#include "rnx/kernels/row.hpp"

namespace rnx::inline RNX_ABI::op {

/// none: the difference itself. dlr: over the spread of the largest logits, so that no scale of the
/// logits makes its gradient vanish.
enum class MarginScale { none, dlr };

/// value = (z(other) - z(label)) / s, at most `most`. other: the largest logit but the label's, or
/// targets[n]. s, with pi the order of falling logits:
///   none 1;  dlr z(pi1) - z(pi3) + 1e-12;  dlr with targets z(pi1) - (z(pi3) + z(pi4)) / 2 + 1e-12
/// dz = weight d value / d z, assigned or added; 0 where the value is cut at `most`. A label or
/// target outside [0, c) gives NaN. Row n is compared with label and target n, or samples[n].
template <class T> struct logit_margin {
  static constexpr bool by_row = true;
  Map<const T> logits{};
  Map<T> dz{};  ///< null: not computed
  const std::int32_t* labels = nullptr;
  const std::int32_t* targets = nullptr;  ///< null: untargeted
  T* value = nullptr;                     ///< null: not computed
  MarginScale scale = MarginScale::none;
  double most = std::numeric_limits<double>::infinity();
  double weight = 1;
  bool add = false;
  const std::int32_t* samples = nullptr;
  std::size_t rows() const { return logits.rows(); }
  double work() const { return 8.0 * logits.c; }
  auto pointers() { return std::tie(logits.data, dz.data, labels, targets, value, samples); }
};

}  // namespace rnx::inline RNX_ABI::op
