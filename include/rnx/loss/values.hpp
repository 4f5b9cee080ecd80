// Per-sample values on the host: downloaded, checked, averaged.
#pragma once

#include <cmath>

#include "rnx/loss/call.hpp"

namespace rnx::inline RNX_ISA::loss {

/// Device memory for the values of up to `capacity` samples, and the scratch that sums need.
template <class T = float, class Device = default_device> class Values {
 public:
  explicit Values(int capacity)
      : capacity_(capacity),
        memory_(2 * std::size_t(capacity > 0 ? capacity : 0)) {
    require<UsageError>(capacity > 0, "loss: values need room for at least one sample");
  }
  /// A call for n samples that writes its values here. Throws ShapeError when they do not fit.
  Call<T> call(int n, double weight = 1, int first = 0, bool add = false) {
    fits(n);
    return {.first = first,
            .weight = weight,
            .add = add,
            .values = memory_.data(),
            .scratch = memory_.data() + capacity_};
  }
  /// Device memory, `capacity` elements.
  const T* data() const { return memory_.data(); }
  int capacity() const { return capacity_; }

  /// The first n values, in host memory. Throws NumericError, naming the sample (counted from
  /// `first`), when one is not finite.
  std::vector<T> host(int n, int first = 0, Stream stream = {}) const {
    fits(n);
    std::vector<T> v(std::size_t(n), T(0));
    memory<Device>::download(v.data(), memory_.data(), v.size() * sizeof(T), stream);
    for (int i = 0; i < n; ++i)
      require<NumericError>(std::isfinite(v[i]), [&] {
        return "loss: the value of sample " + std::to_string(first + i) + " is " +
               std::to_string(v[i]);
      });
    return v;
  }
  /// Their mean, summed in double in the samples' order.
  double mean(int n, int first = 0, Stream stream = {}) const {
    double sum = 0;
    for (const T v : host(n, first, stream)) sum += double(v);
    return sum / n;
  }

 private:
  void fits(int n) const {
    require<ShapeError>(n > 0 && n <= capacity_, [&] {
      return "loss: there is room for " + std::to_string(capacity_) + " values, not for " +
             std::to_string(n);
    });
  }
  int capacity_;
  Buffer<T, Device> memory_;
};

/// Gradients and value of the mean of `loss` over the trace's samples. Reads memory back, so not
/// inside a recording: there, call the loss with values.call(...) and read values.mean(n) after
/// each replay. Throws NumericError when a value is not finite.
template <class L, class T, class Device>
double mean(const L& loss, Trace<T, Device>& trace, Values<T, Device>& values, int first = 0) {
  require<StateError>(trace.n() > 0, "loss: the trace has run no forward");
  evaluate(loss, trace, values.call(trace.n(), batchmean(trace.n()), first));
  return values.mean(trace.n(), first, {trace.context().stream});
}

}  // namespace rnx::inline RNX_ISA::loss
