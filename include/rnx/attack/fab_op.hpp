// Operations of the fast adaptive boundary attack (Croce & Hein 2020b) on rows of dense samples.
#pragma once

#include <cstddef>

#include "rnx/attack/auto_pgd_op.hpp"

namespace rnx::inline RNX_ABI::op {

/// What the attack knows of a row.
enum FabColumn {
  fab_difference,  ///< z(other class) - z(label) at x, of the nearest boundary
  fab_distance,    ///< from x to that boundary, as far as it is flat
  fab_size,        ///< of the smallest perturbation that was found
  fab_columns
};
/// fab_size where nothing was found
constexpr double fab_nothing = 1e10;

/// state = nothing found, adversarial = clean.
template <class T> struct fab_begin {
  static constexpr bool by_row = true;
  Map<const T> clean{};
  Map<T> adversarial{};
  T* state = nullptr;  ///< (n, fab_columns)
  std::size_t rows() const { return clean.n; }
  double work() const { return double(features(clean)); }
  auto pointers() { return std::tie(clean.data, adversarial.data, state); }
};

/// The boundary to a class lies |difference| / |gradient| away, in the dual norm. Keeps its
/// gradient in `plane` where it is nearer than those before, or the first one. Rows whose label the
/// class is are passed over; labels null: there are none.
template <class T> struct fab_nearest {
  static constexpr bool by_row = true;
  Map<const T> gradient{};        ///< of the difference, in x
  const T* difference = nullptr;  ///< (n)
  Map<T> plane{};
  T* state = nullptr;  ///< (n, fab_columns)
  Norm norm = Norm::linf;
  bool first = false;
  const std::int32_t* labels = nullptr;
  int other = 0;  ///< the class
  const std::int32_t* samples = nullptr;
  std::size_t rows() const { return gradient.n; }
  double work() const { return 2.0 * features(gradient); }
  auto pointers() {
    return std::tie(gradient.data, difference, plane.data, state, labels, samples);
  }
};

/// x' = (1 - a) (x + eta d(x)) + a (clean + eta d(clean)), clipped to [0, 1]: d takes a point to
/// the plane, within [0, 1] and shortest in the norm, or as near as [0, 1] allows;
/// a = min(|d(x)| / (|d(x)| + |d(clean)|), most)   (algorithm 1 of the paper)
template <class T> struct fab_step {
  static constexpr bool by_row = true;
  Map<const T> clean{};
  Map<T> x{};
  Map<const T> plane{};
  const T* state = nullptr;  ///< (n, fab_columns)
  Norm norm = Norm::linf;
  double eta = 1.05;
  double most = 0.1;
  std::size_t rows() const { return clean.n; }
  double work() const { return 40.0 * features(clean); }
  auto pointers() { return std::tie(clean.data, x.data, plane.data, state); }
};

/// Where x is misclassified: keeps it when it is nearer than what was found, and goes back towards
/// the clean image, clean + beta (x - clean).
template <class T> struct fab_keep {
  static constexpr bool by_row = true;
  Map<const T> clean{};
  Map<T> x{};
  Map<T> adversarial{};
  T* state = nullptr;         ///< (n, fab_columns)
  const T* fooled = nullptr;  ///< (n)
  Norm norm = Norm::linf;
  double beta = 0.9;
  std::size_t rows() const { return clean.n; }
  double work() const { return 3.0 * features(clean); }
  auto pointers() { return std::tie(clean.data, x.data, adversarial.data, state, fooled); }
};

}  // namespace rnx::inline RNX_ABI::op
