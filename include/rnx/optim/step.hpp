// The values of a step in device memory, and what schedules say of it.
#pragma once

#include <cmath>
#include <optional>

#include "rnx/tensor.hpp"

namespace rnx::inline RNX_ISA::optim {

/// Learning rate and momentum of one step. No momentum: the schedule does not move it, the
/// optimizer's own holds (Optimizer::apply).
struct Rates {
  double lr = 0;
  std::optional<double> momentum{};
};

/// Throws UsageError "optim: <rule>, found <number>" unless `condition`.
inline void expect(bool condition, const char* rule, double found) {
  require<UsageError>(condition, [&] {
    return "optim: " + std::string(rule) + ", found " + std::to_string(found);
  });
}
inline void check_lr(double lr) {
  expect(lr >= 0 && std::isfinite(lr), "the learning rate must not be negative", lr);
}
inline void check_momentum(double momentum) {
  expect(momentum >= 0 && momentum < 1, "momentum must be in [0, 1)", momentum);
}
inline void check_decay(double decay) {
  expect(decay >= 0 && std::isfinite(decay), "weight decay must not be negative", decay);
}

/// Owns one StepValues in device memory, at an address that recorded steps keep: set() before each
/// replay is all that a new step needs.
template <class Device = default_device> class StepState {
 public:
  explicit StepState(const StepValues& v = {}) : memory_(1) { set(v); }
  /// Uploads. Throws UsageError for a negative learning rate or a momentum outside [0, 1). Not
  /// inside a recording.
  void set(const StepValues& v, Stream stream = {}) {
    check_lr(v.lr);
    check_momentum(v.momentum);
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
