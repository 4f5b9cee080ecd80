// Operations of the attack of Carlini & Wagner 2017 in L2 on rows of dense samples. Row i of packed
// maps belongs to row packed[i] of the others, or to row i where that is null.
#pragma once

#include <cstddef>

#include "rnx/attack/auto_pgd_op.hpp"

namespace rnx::inline RNX_ABI::op {

/// What the attack knows of a row.
enum CwColumn {
  cw_constant,  ///< of the margin in what is minimised
  cw_lower,     ///< the largest constant that found nothing
  cw_upper,     ///< the smallest that found a perturbation; infinite: none has
  cw_found,     ///< 1: this constant has
  cw_checked,   ///< what was minimised, when it was last looked at
  cw_stopped,   ///< 1: it has not fallen since
  cw_size,      ///< of the smallest perturbation that was found
  cw_columns
};

/// The search begins with that constant: nothing is found, adversarial = clean.
template <class T> struct cw_begin {
  static constexpr bool by_row = true;
  Map<const T> clean{};
  Map<T> adversarial{};
  T* state = nullptr;  ///< (n, cw_columns)
  double constant = 1e-3;
  std::size_t rows() const { return clean.n; }
  double work() const { return double(features(clean)); }
  auto pointers() { return std::tie(clean.data, adversarial.data, state); }
};

/// A minimisation begins at the clean image, w = artanh((1 - 1e-6) (2 clean - 1)), with moments of
/// 0. next: the constant follows from what the one before has found: between the bounds, or 10
/// times as large where there is no upper one. last: it is the upper one, at most 1e10.
template <class T> struct cw_restart {
  static constexpr bool by_row = true;
  Map<const T> clean{};
  Map<T> w{};
  Map<T> mean{};
  Map<T> square{};
  T* state = nullptr;  ///< (n, cw_columns)
  bool next = false;
  bool last = false;
  std::size_t rows() const { return clean.n; }
  double work() const { return 40.0 * features(clean); }
  auto pointers() { return std::tie(clean.data, w.data, mean.data, square.data, state); }
};

/// x = (tanh(w) + 1) / 2; x is packed.
template <class T> struct cw_image {
  static constexpr bool by_row = true;
  Map<const T> w{};
  Map<T> x{};
  const std::int32_t* packed = nullptr;
  std::size_t rows() const { return x.n; }
  double work() const { return 40.0 * features(x); }
  auto pointers() { return std::tie(w.data, x.data, packed); }
};

/// What is minimised is  |x - x(clean)|^2 + constant max(confidence - margin, 0),  x(clean) being
/// where w began. check: a row stops where it is not below 0.9999 of what it was. Keeps x where it
/// is misclassified by the confidence, and nearer than what was found; moves w by Adam with this
/// rate (Kingma & Ba 2015, algorithm 1), whose step this is, from 1. Packed are x, gradient, margin
/// and fooled.
template <class T> struct cw_step {
  static constexpr bool by_row = true;
  Map<const T> x{};
  Map<const T> gradient{};    ///< of loss::Margin with this confidence
  const T* margin = nullptr;  ///< its value, at most the confidence
  const T* fooled = nullptr;
  Map<const T> clean{};
  Map<T> w{};
  Map<T> mean{};
  Map<T> square{};
  Map<T> adversarial{};
  T* state = nullptr;  ///< (n, cw_columns)
  double confidence = 0;
  double rate = 0.01;
  int step = 1;
  bool check = false;
  const std::int32_t* packed = nullptr;
  std::size_t rows() const { return x.n; }
  double work() const { return 60.0 * features(x); }
  auto pointers() {
    return std::tie(x.data, gradient.data, margin, fooled, clean.data, w.data, mean.data,
                    square.data, adversarial.data, state, packed);
  }
};

}  // namespace rnx::inline RNX_ABI::op
