// Images of a data set as a tensor, without a loader: for a look, a figure, a single batch.
#pragma once

#include "rnx/data/batch.hpp"
#include "rnx/tensor.hpp"

namespace rnx::inline RNX_ISA::data {

/// Images first .. first + n as they are, in [0, 1]: what a network takes (x.view()), without
/// augmentation. Their labels are images.labels[first .. first + n). Errors: UsageError (images
/// that are not there).
template <class T = float, class Device = default_device>
Tensor<T, Device> batch_tensor(const Images& images, int first, int n) {
  require(first >= 0 && n >= 0 && n <= images.n - first, [&] {
    return "batch_tensor: expected a part of " + std::to_string(images.n) + " images, found " +
           std::to_string(first) + " to " + std::to_string(long(first) + n);
  });
  std::vector<std::uint32_t> ids(n);
  std::iota(ids.begin(), ids.end(), std::uint32_t(first));
  std::vector<float> pixels(n * images.dims.count());
  make_batch(images, ids, {}, {}, pixels.data(), nullptr);
  Tensor<T, Device> batch(n, images.dims);
  batch.upload(std::vector<T>(pixels.begin(), pixels.end()));
  return batch;
}

}  // namespace rnx::inline RNX_ISA::data
