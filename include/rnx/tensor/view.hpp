// A view of activations: n samples of h x w pixels, channels innermost.
//   c       active channels (<= the maximum the memory was laid out for)
//   stride  elements from one pixel to the next: the maximum number of channels, so that slices
//           need no copy
#pragma once

#include <cstdint>
#include <type_traits>

#include "rnx/device.hpp"

namespace rnx::inline RNX_ABI {

template <class T, class Device = default_device> struct View {
  T* data = nullptr;
  int n = 0;
  Dims dims{};     // active
  int stride = 0;  // pixel stride

  std::size_t sample_stride() const { return std::size_t(dims.pixels()) * stride; }
  std::size_t count() const { return std::size_t(n) * dims.count(); }
  bool dense() const { return stride == dims.c; }
  explicit operator bool() const { return data != nullptr; }
  operator View<const T, Device>() const requires(!std::is_const_v<T>) {
    return {data, n, dims, stride};
  }

  /// Samples [first, first + count).
  View samples(int first, int count) const {
    return {data + first * sample_stride(), count, dims, stride};
  }
  /// Channels [first, first + count) of every pixel.
  View channels(int first, int count) const {
    return {data + first, n, {count, dims.h, dims.w}, stride};
  }
  /// The same memory seen with other active channels.
  View active(int c) const { return {data, n, {c, dims.h, dims.w}, stride}; }
};

/// Whether the memory of a and b, from their first to their last pixel, has a byte in common.
template <class A, class B, class Device>
bool overlap(const View<A, Device>& a, const View<B, Device>& b) {
  const auto begin = [](const auto& v) { return reinterpret_cast<std::uintptr_t>(v.data); };
  const auto end = [&](const auto& v) {
    return begin(v) + v.n * v.sample_stride() * sizeof(*v.data);
  };
  return a && b && begin(a) < end(b) && begin(b) < end(a);
}

}  // namespace rnx::inline RNX_ABI
