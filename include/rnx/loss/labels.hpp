// Labels of a batch in device memory, checked when they are uploaded: kernels cannot throw.
#pragma once

#include "rnx/tensor.hpp"

namespace rnx::inline RNX_ISA::loss {

/// Up to `capacity` labels. The address does not change, so a recorded step sees the labels of the
/// last upload.
template <class Device = default_device> class Labels {
 public:
  Labels(int capacity, int classes)
      : classes_(classes),
        memory_(std::size_t(capacity > 0 ? capacity : 0)) {
    require<UsageError>(capacity > 0 && classes > 0, [&] {
      return "labels: expected room for labels and classes, found " + std::to_string(capacity) +
             " and " + std::to_string(classes);
    });
  }
  Labels(std::span<const std::int32_t> labels, int classes) : Labels(int(labels.size()), classes) {
    upload(labels);
  }

  /// Throws UsageError, naming index and label, when one is outside [0, classes), and ShapeError
  /// when they do not fit.
  void upload(std::span<const std::int32_t> labels) {
    for (std::size_t i = 0; i < labels.size(); ++i)
      require<UsageError>(labels[i] >= 0 && labels[i] < classes_, [&] {
        const std::string text =
            "labels: label " + std::to_string(i) + " is " + std::to_string(labels[i]);
        return text + ", expected 0 to " + std::to_string(classes_ - 1);
      });
    memory_.upload(labels);
    size_ = int(labels.size());
  }
  /// Device memory.
  const std::int32_t* data() const { return memory_.data(); }
  int size() const { return size_; }
  int classes() const { return classes_; }

 private:
  int classes_, size_ = 0;
  Buffer<std::int32_t, Device> memory_;
};

}  // namespace rnx::inline RNX_ISA::loss
