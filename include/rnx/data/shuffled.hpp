// Data sets that come sorted by class: how to tell, and a source in a mixed order, so that "the
// first N" is a fair sample.
#pragma once

#include "rnx/data/selection.hpp"

namespace rnx::inline RNX_ISA::data {

/// Whether labels in [0, classes) come in an order that the first N of them can stand for all. They
/// do not where each class lies in one piece, or where a class is ahead of or behind its share by
/// more than four standard deviations of a random order, sqrt(n p (1 - p)) for a share p, at any
/// place: a shuffled list goes so far once in 10^13 times, classes in turn never. Errors:
/// UsageError (a label that is not in range).
inline bool is_mixed(std::span<const std::int32_t> labels, int classes) {
  std::vector<std::size_t> count(std::size_t(std::max(classes, 0))), seen(count.size());
  std::size_t pieces = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    require(labels[i] >= 0 && labels[i] < classes, [&] {
      return "is_mixed: expected labels below " + std::to_string(classes) + ", found " +
             std::to_string(labels[i]);
    });
    ++count[std::size_t(labels[i])];
    pieces += i == 0 || labels[i] != labels[i - 1];
  }
  const auto present = count.size() - std::size_t(std::count(count.begin(), count.end(), 0u));
  if (present < 2 || present == labels.size()) return true;
  if (pieces == present) return false;
  // A class is furthest behind just before one of its samples, and furthest ahead just after.
  const double n = double(labels.size());
  const auto far = [&](std::size_t c, double position) {
    const double ahead = double(seen[c]) - position * double(count[c]) / n,
                 share = double(count[c]) / n;
    return ahead * ahead > 16 * n * share * (1 - share);
  };
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto c = std::size_t(labels[i]);
    const bool behind = far(c, double(i));
    ++seen[c];
    if (behind || far(c, double(i + 1))) return false;
  }
  return true;
}

/// Samples of another source, shuffled once and always in the same way: the first n of that order
/// (all where there are fewer).
class Shuffled final : public Selection {
 public:
  Shuffled(const Whole& whole, std::size_t n)
      : Selection("Shuffled", whole, first(*whole, n),
                  "shuffled:" + std::to_string(std::min(n, whole->size()))) {}

 private:
  static std::vector<std::uint32_t> first(const Source& whole, std::size_t n) {
    std::vector<std::uint32_t> order = epoch_order(whole.size(), 0, 0);
    order.resize(std::min(n, order.size()));
    return order;
  }
};

}  // namespace rnx::inline RNX_ISA::data
