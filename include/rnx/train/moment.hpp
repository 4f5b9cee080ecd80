// Where a step stands, which samples of a batch a pass takes, and networks that an objective names.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <typeinfo>

#include "rnx/network.hpp"

namespace rnx::inline RNX_ISA::train {

/// Where a run stands at a step. Everything counts from 0.
struct Moment {
  int epoch = 0, epochs = 1;
  long step = 0, steps = 1;              ///< batches of the epoch
  long done = 0, total = 1;              ///< batches of the run
  int replay = 0, replays = 1;           ///< of the batch
  int n = 0;                             ///< samples of the batch
  std::span<const std::uint32_t> ids{};  ///< of these samples, in the source
};

/// A part of a batch of n samples: [floor(begin n), floor(end n)).
struct Rows {
  double begin = 0, end = 1;

  int first(int n) const { return at(begin, n); }
  int count(int n) const { return at(end, n) - at(begin, n); }
  bool holds(const Rows& other) const { return begin <= other.begin && other.end <= end; }
  bool operator==(const Rows&) const = default;

 private:
  /// 0.8 of 10 samples is 8, whatever the product rounds to.
  static int at(double part, int n) { return int(std::floor(part * n + 1e-9)); }
};

/// A network that an objective names, of any scalar and device; it must outlive the run. Empty: the
/// student.
class NetRef {
 public:
  NetRef() = default;
  template <class T, class Device>
  NetRef(const NetworkBase<T, Device>& net) : net_(&net),
                                              type_(&typeid(NetworkBase<T, Device>)) {}
  explicit operator bool() const { return net_ != nullptr; }

  /// Errors: UsageError (the network has another scalar or device than the student).
  template <class T, class Device> const NetworkBase<T, Device>& of(const std::string& pass) const {
    require<UsageError>(*type_ == typeid(NetworkBase<T, Device>), [&] {
      return "objective: the network of pass '" + pass +
             "' computes in another precision or on another device than the student";
    });
    return *static_cast<const NetworkBase<T, Device>*>(net_);
  }

 private:
  const void* net_ = nullptr;
  const std::type_info* type_ = nullptr;
};

}  // namespace rnx::inline RNX_ISA::train
