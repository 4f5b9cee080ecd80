// Owning device memory: Buffer is flat, Tensor has samples and dims (dense, channels innermost).
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "rnx/tensor/view.hpp"

namespace rnx::inline RNX_ABI {

/// Flat device memory of `size` elements. Copies copy the memory.
template <class T = float, class Device = default_device> class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t size)
      : data_(static_cast<T*>(memory<Device>::allocate(size * sizeof(T)))),
        size_(size) {
    memory<Device>::zero(data_, size * sizeof(T));
  }
  Buffer(const Buffer& other) : Buffer(other.size_) {
    memory<Device>::copy(data_, other.data_, size_ * sizeof(T));
  }
  Buffer(Buffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  Buffer& operator=(Buffer other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Buffer() {
    if (data_) memory<Device>::release(data_);
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  std::size_t size() const { return size_; }
  void zero(Stream s = {}) { memory<Device>::zero(data_, size_ * sizeof(T), s); }

  void upload(std::span<const T> host, std::size_t at = 0) {
    require<ShapeError>(at + host.size() <= size_, [&] {
      return "Buffer: " + std::to_string(host.size()) + " elements at " + std::to_string(at) +
             " do not fit into " + std::to_string(size_);
    });
    memory<Device>::upload(data_ + at, host.data(), host.size_bytes());
  }
  std::vector<T> download() const {
    std::vector<T> host(size_);
    memory<Device>::download(host.data(), data_, size_ * sizeof(T));
    return host;
  }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

/// n samples of `dims`, dense: memory order (n, h, w, c).
template <class T = float, class Device = default_device> class Tensor {
 public:
  Tensor() = default;
  Tensor(int n, Dims dims) : n_(n), dims_(dims), memory_(n * dims.count()) {}

  int n() const { return n_; }
  Dims dims() const { return dims_; }
  T* data() { return memory_.data(); }
  const T* data() const { return memory_.data(); }
  std::size_t size() const { return memory_.size(); }
  View<T, Device> view() { return {memory_.data(), n_, dims_, dims_.c}; }
  View<const T, Device> view() const { return {memory_.data(), n_, dims_, dims_.c}; }
  void zero(Stream s = {}) { memory_.zero(s); }

  /// From host memory in the field's order (n, c, h, w).
  static Tensor from_nchw(int n, Dims d, std::span<const T> host) {
    require<ShapeError>(host.size() == n * d.count(), [&] {
      return "Tensor: expected " + std::to_string(n) + " x " + d.text() + " = " +
             std::to_string(n * d.count()) + " elements, found " + std::to_string(host.size());
    });
    std::vector<T> order(host.size());
    std::size_t k = 0;
    for (int s = 0; s < n; ++s)
      for (int p = 0; p < d.pixels(); ++p)
        for (int c = 0; c < d.c; ++c)
          order[k++] = host[(std::size_t(s) * d.c + c) * d.pixels() + p];
    Tensor t(n, d);
    t.memory_.upload(order);
    return t;
  }
  /// As rnx::to_nchw of the whole.
  std::vector<T> to_nchw() const;
  std::vector<T> download() const { return memory_.download(); }
  void upload(std::span<const T> host) { memory_.upload(host); }

 private:
  int n_ = 0;
  Dims dims_{};
  Buffer<T, Device> memory_;
};

/// Host copy of the active elements of a view, order (n, h, w, c).
template <class T, class Device>
std::vector<std::remove_const_t<T>> to_host(const View<T, Device>& v) {
  using U = std::remove_const_t<T>;
  std::vector<U> all(v.n * v.sample_stride()), out(v.count());
  if (v.dense()) {
    memory<Device>::download(out.data(), v.data, out.size() * sizeof(U));
    return out;
  }
  // the last pixel owns only its active channels: the memory behind them may be somebody else's
  memory<Device>::download(all.data(), v.data,
                           all.empty() ? 0 : (all.size() - v.stride + v.dims.c) * sizeof(U));
  for (std::size_t p = 0, k = 0; p < std::size_t(v.n) * v.dims.pixels(); ++p)
    for (int c = 0; c < v.dims.c; ++c) out[k++] = all[p * v.stride + c];
  return out;
}

/// Host copy of the active elements of a view in the field's order (n, c, h, w).
template <class T, class Device>
std::vector<std::remove_const_t<T>> to_nchw(const View<T, Device>& v) {
  const std::vector<std::remove_const_t<T>> host = to_host(v);
  std::vector<std::remove_const_t<T>> order(host.size());
  std::size_t k = 0;
  for (int s = 0; s < v.n; ++s)
    for (int p = 0; p < v.dims.pixels(); ++p)
      for (int c = 0; c < v.dims.c; ++c)
        order[(std::size_t(s) * v.dims.c + c) * v.dims.pixels() + p] = host[k++];
  return order;
}
template <class T, class Device> std::vector<T> Tensor<T, Device>::to_nchw() const {
  return rnx::to_nchw(view());
}

}  // namespace rnx::inline RNX_ABI
