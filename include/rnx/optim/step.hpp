// The values of a step in device memory, and what schedules say of it.
#pragma once

#include <cmath>
#include <optional>

#include "rnx/tensor.hpp"

namespace rnx::inline RNX_ISA::optim {

/// Learning rate and momentum of one step. No momentum: the schedule does not move it, the optimizer's own holds (Optimizer::apply).
struct Rates {
  double lr = 0;
  std::optional<double> momentum{};
};

inline void check_lr(double lr) {
  require<UsageError>(lr >= 0 && std::isfinite(lr), [&] { return "optim: the learning rate must not be negative, found " + std::to_string(lr); });
}
inline void check_momentum(double momentum) {
  require<UsageError>(momentum >= 0 && momentum < 1, [&] { return "optim: momentum must be in [0, 1), found " + std::to_string(momentum); });
}
inline void check_decay(double decay) {
  require<UsageError>(decay >= 0 && std::isfinite(decay), [&] { return "optim: weight decay must not be negative, found " + std::to_string(decay); });
}

/// Owns one StepValues in device memory, at an address that recorded steps keep: set() before each replay is all that a new step needs.
template <class Device = cpu>
class StepState {
 public:
  explicit StepState(const StepValues& v = {}) : memory_(1) { set(v); }
  /// Uploads. Throws UsageError for a negative learning rate or a momentum outside [0, 1). Not inside a recording.
  void set(const StepValues& v, Stream stream = {}) {
    check_lr(v.lr), check_momentum(v.momentum);
    memory<Device>::upload(memory_.data(), &v, sizeof(v), stream);
    values_ = v;
  }
  /// Device memory: Context::values and the argument of Optimizer::step.
  const StepValues* get() const { return memory_.data(); }
  /// The host's copy.
  const StepValues& values() const { return values_; }

 private:
  Buffer<StepValues, Device> memory_;
  StepValues values_{};
};

}  // namespace rnx::inline RNX_ISA::optim
