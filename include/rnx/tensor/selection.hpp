// Samples that are chosen from a batch, in device memory.
#pragma once

#include "rnx/core/context.hpp"
#include "rnx/tensor/tensor.hpp"

namespace rnx::inline RNX_ISA {

/// What works on a part of a batch (an attack on what still stands) is told which samples it has,
/// and gives each the bits that it has in the whole batch: Context::samples = selection.list().
/// op::gather_rows and op::scatter_rows move them. The address does not change, so a recorded step
/// sees the last upload.
template <class Device = default_device> class Selection {
 public:
  /// Room for all samples of a batch of `batch`.
  explicit Selection(int batch) : batch_(batch), memory_(std::size_t(batch > 0 ? batch : 0)) {
    require<UsageError>(batch > 0, "selection: the batch must have a sample");
  }
  Selection(std::span<const std::int32_t> samples, int batch) : Selection(batch) {
    upload(samples);
  }
  /// Any order. Throws UsageError when a number is outside the batch or comes twice.
  void upload(std::span<const std::int32_t> samples) {
    std::vector<bool> seen(std::size_t(batch_), false);
    for (const std::int32_t s : samples) {
      require<UsageError>(s >= 0 && s < batch_, [&] {
        return "selection: sample " + std::to_string(s) + " is not in a batch of " +
               std::to_string(batch_);
      });
      require<UsageError>(!seen[std::size_t(s)], [&] {
        return "selection: sample " + std::to_string(s) + " comes twice";
      });
      seen[std::size_t(s)] = true;
    }
    memory_.upload(samples);
    size_ = int(samples.size());
  }
  int size() const { return size_; }
  int batch() const { return batch_; }
  SampleList list() const { return {.data = memory_.data(), .n = size_, .batch = batch_}; }

 private:
  int batch_, size_ = 0;
  Buffer<std::int32_t, Device> memory_;
};

}  // namespace rnx::inline RNX_ISA
