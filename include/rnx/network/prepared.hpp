// The cache of weights as kernels read them. const functions of a network fill it, and const means
// safe to share: under a lock.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>

#include "rnx/tensor.hpp"

namespace rnx::inline RNX_ISA {

/// Prepared weights for one version of the parameters, one subnet and one stream.
template <class T, class Device> struct PreparedWeights {
  explicit PreparedWeights(std::size_t size) : data(size) {}
  Buffer<T, Device> data;
  std::atomic<int> readers = 0;           ///< leases
  std::uint64_t subnet = 0, version = 0;  ///< version 0: nothing that could be read
  void* stream = nullptr;
};

/// What a trace holds while it reads prepared weights: their memory is not used for others, and
/// outlives the network.
template <class T, class Device> class PreparedLease {
 public:
  PreparedLease() = default;
  explicit PreparedLease(std::shared_ptr<PreparedWeights<T, Device>> prepared)
      : prepared_(std::move(prepared)) {
    prepared_->readers.fetch_add(1, std::memory_order_relaxed);
  }
  PreparedLease(PreparedLease&& o) noexcept = default;
  PreparedLease& operator=(PreparedLease&& o) noexcept {
    if (this != &o) {
      reset();
      prepared_ = std::move(o.prepared_);
    }
    return *this;
  }
  ~PreparedLease() { reset(); }

  void reset() {
    if (prepared_)
      prepared_->readers.fetch_sub(
          1, std::memory_order_release);  // what was read comes before the next packing
    prepared_.reset();
  }
  T* data() const { return prepared_ ? prepared_->data.data() : nullptr; }

 private:
  std::shared_ptr<PreparedWeights<T, Device>> prepared_;
};

/// The last four sets of prepared weights. Calls of several threads take turns, also while weights
/// are prepared: who asks for the same ones waits for them. Moving takes what is cached along;
/// nobody else may use either side meanwhile.
template <class T, class Device> class PreparedCache {
 public:
  PreparedCache() = default;
  PreparedCache(PreparedCache&& o) noexcept { take(o); }
  PreparedCache& operator=(PreparedCache&& o) noexcept {
    if (this != &o) take(o);
    return *this;
  }

  /// The weights of (subnet, version, stream); prepare(T*) writes `size` elements where they are
  /// not there. What prepare throws passes, and nothing is cached.
  template <class Pack>
  PreparedLease<T, Device> lease(std::uint64_t subnet, std::uint64_t version, void* stream,
                                 std::size_t size, const Pack& prepare) {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<PreparedWeights<T, Device>>* slot = nullptr;
    for (auto& c : slots_) {
      if (c && c->subnet == subnet && c->version == version && c->stream == stream)
        return PreparedLease<T, Device>(c);
      if (!slot && (!c || (c->version != version && unread(*c)))) slot = &c;
    }
    if (!slot) slot = &slots_[next_++ % slots_.size()];
    if (!*slot || !unread(**slot)) *slot = std::make_shared<PreparedWeights<T, Device>>(size);
    PreparedWeights<T, Device>& prepared = **slot;
    prepared.version = 0;
    prepare(prepared.data.data());
    prepared.subnet = subnet;
    prepared.version = version;
    prepared.stream = stream;
    ++packings_;
    return PreparedLease<T, Device>(*slot);
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    slots_ = {};
  }
  /// How often prepare was called.
  std::uint64_t packings() const {
    const std::lock_guard lock(mutex_);
    return packings_;
  }

 private:
  static bool unread(const PreparedWeights<T, Device>& prepared) {
    return prepared.readers.load(std::memory_order_acquire) == 0;
  }
  void take(PreparedCache& o) noexcept {
    slots_ = std::move(o.slots_);
    next_ = o.next_;
    packings_ = o.packings_;
  }

  mutable std::mutex mutex_;
  std::array<std::shared_ptr<PreparedWeights<T, Device>>, 4> slots_{};
  std::size_t next_ = 0;
  std::uint64_t packings_ = 0;
};

}  // namespace rnx::inline RNX_ISA
