// Mean and standard deviation of the channels, for the normalisation inside a model.
#pragma once

#include <cmath>

#include "rnx/data/source.hpp"

namespace rnx::inline RNX_ISA::data {

/// Per channel, of pixels in [0, 1].
struct Statistics {
  std::vector<float> mean{}, std{};
};

/// Over the first `count` samples as they are (all where there are fewer). A channel that does not vary has deviation 1.
inline Statistics statistics(const Source& source, std::size_t count = 10000) {
  const std::size_t channels = source.dims().c, n = std::min(count, source.size());
  std::vector<double> sum(channels), squares(channels);
  std::vector<float> image(source.dims().count());
  for (std::size_t id = 0; id < n; ++id) {
    source.sample(std::uint32_t(id), nullptr, 0, 0, image.data());
    for (std::size_t k = 0; k < image.size(); ++k) sum[k % channels] += image[k], squares[k % channels] += double(image[k]) * image[k];
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
