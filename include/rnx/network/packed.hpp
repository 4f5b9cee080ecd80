// The cache of weights as kernels read them. const functions of a network fill it, and const means
// safe to share: under a lock.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>

#include "rnx/tensor.hpp"

namespace rnx::inline RNX_ISA {

/// Packed weights for one version of the parameters, one subnet and one stream.
template <class T, class Device> struct Packed {
  explicit Packed(std::size_t size) : data(size) {}
  Buffer<T, Device> data;
  std::atomic<int> readers = 0;           ///< leases
  std::uint64_t subnet = 0, version = 0;  ///< version 0: nothing that could be read
  void* stream = nullptr;
};

/// What a trace holds while it reads packed weights: their memory is not used for others, and
/// outlives the network.
template <class T, class Device> class PackedLease {
 public:
  PackedLease() = default;
  explicit PackedLease(std::shared_ptr<Packed<T, Device>> packed) : packed_(std::move(packed)) {
    packed_->readers.fetch_add(1, std::memory_order_relaxed);
  }
  PackedLease(PackedLease&& o) noexcept = default;
  PackedLease& operator=(PackedLease&& o) noexcept {
    if (this != &o) {
      reset();
      packed_ = std::move(o.packed_);
    }
    return *this;
  }
  ~PackedLease() { reset(); }

  void reset() {
    if (packed_)
      packed_->readers.fetch_sub(
          1, std::memory_order_release);  // what was read comes before the next packing
    packed_.reset();
  }
  T* data() const { return packed_ ? packed_->data.data() : nullptr; }

 private:
  std::shared_ptr<Packed<T, Device>> packed_;
};

/// The last four sets of packed weights. Calls of several threads take turns, also while weights
/// are packed: who asks for the same ones waits for them. Moving takes what is cached along; nobody
/// else may use either side meanwhile.
template <class T, class Device> class PackedCache {
 public:
  PackedCache() = default;
  PackedCache(PackedCache&& o) noexcept { take(o); }
  PackedCache& operator=(PackedCache&& o) noexcept {
    if (this != &o) take(o);
    return *this;
  }

  /// The weights of (subnet, version, stream); pack(T*) writes `size` elements where they are not
  /// there. What pack throws passes, and nothing is cached.
  template <class Pack>
  PackedLease<T, Device> lease(std::uint64_t subnet, std::uint64_t version, void* stream,
                               std::size_t size, const Pack& pack) {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<Packed<T, Device>>* slot = nullptr;
    for (auto& c : slots_) {
      if (c && c->subnet == subnet && c->version == version && c->stream == stream)
        return PackedLease<T, Device>(c);
      if (!slot && (!c || (c->version != version && unread(*c)))) slot = &c;
    }
    if (!slot) slot = &slots_[next_++ % slots_.size()];
    if (!*slot || !unread(**slot)) *slot = std::make_shared<Packed<T, Device>>(size);
    Packed<T, Device>& packed = **slot;
    packed.version = 0;
    pack(packed.data.data());
    packed.subnet = subnet;
    packed.version = version;
    packed.stream = stream;
    ++packings_;
    return PackedLease<T, Device>(*slot);
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    slots_ = {};
  }
  /// How often pack was called.
  std::uint64_t packings() const {
    const std::lock_guard lock(mutex_);
    return packings_;
  }

 private:
  static bool unread(const Packed<T, Device>& packed) {
    return packed.readers.load(std::memory_order_acquire) == 0;
  }
  void take(PackedCache& o) noexcept {
    slots_ = std::move(o.slots_);
    next_ = o.next_;
    packings_ = o.packings_;
  }

  mutable std::mutex mutex_;
  std::array<std::shared_ptr<Packed<T, Device>>, 4> slots_{};
  std::size_t next_ = 0;
  std::uint64_t packings_ = 0;
};

}  // namespace rnx::inline RNX_ISA
