// Mean and standard deviation of the channels, for the normalisation inside a model.
#pragma once

#include <cmath>

#include "rnx/data/shuffled.hpp"

namespace rnx::inline RNX_ISA::data {

/// Per channel, of pixels in [0, 1].
struct Statistics {
  std::vector<float> mean{}, std{};
};

/// Over the first `count` samples as they are (all where there are fewer); where classes do not
/// come in a mixed order (is_mixed) or are not known, over as many that are spread evenly over the
/// source. A channel that does not vary has deviation 1.
inline Statistics statistics(const Source& source, std::size_t count = 10000) {
  const std::size_t channels = source.dims().c, n = std::min(count, source.size());
  std::vector<double> sum(channels), squares(channels);
  std::vector<float> image(source.dims().count());
  std::vector<std::int32_t> labels;
  for (std::size_t id = 0; n < source.size() && id < source.size(); ++id)
    labels.push_back(source.label(std::uint32_t(id)));
  const bool unknown = std::find(labels.begin(), labels.end(), no_label) != labels.end(),
             spread = unknown || !is_mixed(labels, source.classes());
  for (std::size_t k = 0; k < n; ++k) {
    const std::size_t id = spread ? k * source.size() / n : k;
    source.sample(std::uint32_t(id), {}, {}, image.data());
    for (std::size_t i = 0; i < image.size(); ++i) {
      sum[i % channels] += image[i];
      squares[i % channels] += double(image[i]) * image[i];
    }
  }
  const double pixels = std::max<double>(1, double(n) * (image.size() / channels));
  Statistics s;
  for (std::size_t c = 0; c < channels; ++c) {
    const double mean = sum[c] / pixels, variance = squares[c] / pixels - mean * mean;
    s.mean.push_back(float(mean));
    s.std.push_back(variance > 1e-10 ? float(std::sqrt(variance)) : 1.0f);
  }
  return s;
}

}  // namespace rnx::inline RNX_ISA::data
