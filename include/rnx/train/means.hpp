// Means over an epoch so far: the objective, its terms, the accuracy on training images.
#pragma once

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
  std::vector<NamedValue> values{};

  void clear() { *this = {}; }
  void add(const std::string& name, double sum) {
    for (NamedValue& v : values)
      if (v.name == name) {
        v.value += sum;
        return;
      }
    values.push_back({name, sum});
  }
  /// Writes the means. Without samples that have labels, the accuracy is NaN.
  void tell(Progress& p) const {
    const double n = double(samples);
    p.samples = samples;
    p.loss = loss / n;
    p.accuracy =
        counted > 0 ? double(right) / double(counted) : std::numeric_limits<double>::quiet_NaN();
    p.values = values;
    for (NamedValue& v : p.values) v.value /= n;
  }
};

}  // namespace rnx::inline RNX_ISA::train
