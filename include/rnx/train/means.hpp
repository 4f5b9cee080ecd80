// Means over an epoch so far: the objective, its terms, the accuracy on training images.
#pragma once

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "rnx/train/progress.hpp"

namespace rnx::inline RNX_ISA::train {

/// Sums over the samples of an epoch so far. Part of checkpoints.
struct EpochMeans {
  std::size_t samples = 0;             ///< seen
  std::size_t counted = 0, right = 0;  ///< predictions of the first trained pass
  double loss = 0;
  /// Of a named value, over the batches that have it: a term may have none of a last batch's rows.
  struct Sum {
    std::string name;
    double sum = 0;
    std::size_t samples = 0;
  };
  std::vector<Sum> values{};

  void clear() { *this = {}; }
  /// A batch's mean over its n samples.
  void add(const NamedValue& mean, std::size_t n) {
    auto at = std::find_if(values.begin(), values.end(),
                           [&](const Sum& s) { return s.name == mean.name; });
    if (at == values.end()) at = values.insert(at, {.name = mean.name});
    at->sum += mean.value * double(n);
    at->samples += n;
  }
  /// Writes the means. Without samples that have labels, the accuracy is NaN.
  void tell(Progress& p) const {
    const double n = double(samples);
    p.samples = samples;
    p.loss = loss / n;
    p.accuracy =
        counted > 0 ? double(right) / double(counted) : std::numeric_limits<double>::quiet_NaN();
    p.values.clear();
    for (const Sum& s : values) p.values.push_back({s.name, s.sum / double(s.samples)});
  }
};

}  // namespace rnx::inline RNX_ISA::train
