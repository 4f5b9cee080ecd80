// Operations of the Square attack (Andriushchenko et al. 2020) on rows of dense samples.
#pragma once

#include <cstddef>

#include "rnx/attack/auto_pgd_op.hpp"

namespace rnx::inline RNX_ABI::op {

/// The samples share the squares' places, and each has signs of its own for its channels (in Linf
/// they share those, too): numbers of the batch are keyed by (seed, draw) alone, those of a sample
/// by its id as well.
struct SquareDraws {
  std::uint64_t draw = 0;
  std::uint64_t first_sample = 0;
  std::uint64_t seed = 0;
};

/// to = the start: in Linf x + eps sign for each column and channel; in L2 and L1 an image of tiles
/// of size x size pixels, each sign times `pattern`, scaled to eps (L1: projected onto the ball).
/// pattern: (size, size), transposed for half of the tiles.
template <class T> struct square_start {
  static constexpr bool by_row = true;
  Map<const T> clean{};
  Map<T> to{};
  const StepValues* values = nullptr;
  Norm norm = Norm::linf;
  SquareDraws draws{};
  const T* pattern = nullptr;
  int size = 0;
  const std::int32_t* samples = nullptr;
  std::size_t rows() const { return clean.n; }
  double work() const { return 64.0 * features(clean); }
  auto pointers() { return std::tie(clean.data, to.data, values, pattern, samples); }
};

/// to = a proposal: `best` with another square of size x size pixels. Linf: 2 eps sign added for
/// each channel, then into ball and box. L2, L1 (section 4.3 of the paper): what the square and a
/// second one held, and what is left of the radius, goes into the first, along its old content plus
/// sign times pattern; the second becomes 0. `to` is packed: its row i is row packed[i] of the
/// others (null: row i), whose sample is samples[i].
template <class T> struct square_propose {
  static constexpr bool by_row = true;
  Map<const T> clean{};
  Map<const T> best{};
  Map<T> to{};
  const StepValues* values = nullptr;
  Norm norm = Norm::linf;
  SquareDraws draws{};
  const T* pattern = nullptr;
  int size = 0;
  const std::int32_t* samples = nullptr;
  const std::int32_t* packed = nullptr;
  std::size_t rows() const { return to.n; }
  double work() const { return 16.0 * features(clean); }
  auto pointers() {
    return std::tie(clean.data, best.data, to.data, values, pattern, samples, packed);
  }
};

/// best = proposal, margin = -loss, in rows where the new margin is smaller or at most 0. loss:
/// that of loss::Margin, above 0 where misclassified. begin: in every row, `best` being the
/// proposal. Packed are proposal and loss.
template <class T> struct square_accept {
  static constexpr bool by_row = true;
  Map<const T> proposal{};
  Map<T> best{};
  T* margin = nullptr;      ///< (n)
  const T* loss = nullptr;  ///< (n)
  bool begin = false;
  const std::int32_t* packed = nullptr;
  std::size_t rows() const { return proposal.n; }
  double work() const { return double(features(best)); }
  auto pointers() { return std::tie(proposal.data, best.data, margin, loss, packed); }
};

}  // namespace rnx::inline RNX_ABI::op
