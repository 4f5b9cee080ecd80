// AnyNetwork: a network whose type is forgotten. It copies like a value and passes wherever a
// NetworkBase& is taken.
#pragma once

#include "rnx/network/network.hpp"

namespace rnx::inline RNX_ISA {

template <class T = float, class Device = default_device> class AnyNetwork {
 public:
  AnyNetwork() = default;
  explicit AnyNetwork(std::unique_ptr<NetworkBase<T, Device>> network)
      : network_(std::move(network)) {}
  template <class Spec, class In, class Precision>
    requires std::is_same_v<typename Precision::store, T> AnyNetwork(
        Network<Spec, In, Device, Precision> network)
        : network_(std::make_unique<Network<Spec, In, Device, Precision>>(std::move(network))) {}
    AnyNetwork(const AnyNetwork& o) : network_(o.network_ ? o.network_->clone() : nullptr) {}
    AnyNetwork(AnyNetwork&&) noexcept = default;
    AnyNetwork& operator=(AnyNetwork o) noexcept {
      network_ = std::move(o.network_);
      return *this;
    }

    explicit operator bool() const { return network_ != nullptr; }
    NetworkBase<T, Device>& operator*() { return get(); }
    const NetworkBase<T, Device>& operator*() const { return get(); }
    NetworkBase<T, Device>* operator->() { return &get(); }
    const NetworkBase<T, Device>* operator->() const { return &get(); }
    operator NetworkBase<T, Device>&() { return get(); }
    operator const NetworkBase<T, Device>&() const { return get(); }

   private:
    NetworkBase<T, Device>& get() const {
      require<StateError>(network_ != nullptr, "AnyNetwork: it is empty");
      return *network_;
    }
    std::unique_ptr<NetworkBase<T, Device>> network_;
};

}  // namespace rnx::inline RNX_ISA
