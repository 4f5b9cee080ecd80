// Stochastic gradient descent with momentum.
#pragma once

#include "rnx/optim/optimizer.hpp"

namespace rnx::inline RNX_ISA::optim {

struct SgdOptions {
  double momentum =
      /// 0: no velocity is kept. The momentum in force is StepValues::momentum; apply() writes this
      /// one there.
      0;
  bool nesterov = false;
  double weight_decay = 0;
  std::vector<Group> groups{};
};

/// g' = clip g + decay p;  v = momentum v + g';  p -= lr factor (nesterov ? g' + momentum v : v)
///                         (PyTorch's SGD)
/// v starts at zero: the first step makes it g', as PyTorch does, and no step differs from the
/// others, so any may be recorded. Inactive slices of elastic layers have gradient zero; momentum
/// and decay act on them.
/// Throws UsageError for momentum outside [0, 1), negative decay or factor, and Nesterov without
/// momentum.
template <class T = float, class Device = default_device>
class Sgd final : public Optimizer<T, Device> {
  using Base = Optimizer<T, Device>;
  using typename Base::Member, typename Base::Range;

 public:
  explicit Sgd(SgdOptions o = {})
      : Base(o.weight_decay, std::move(o.groups),
             std::vector<std::string>(o.momentum > 0, "momentum")),
        momentum_(o.momentum),
        nesterov_(o.nesterov) {
    check_momentum(momentum_);
    require<UsageError>(!nesterov_ || momentum_ > 0, "optim: Nesterov's momentum needs a momentum");
  }
  std::string describe() const override {
    return "sgd momentum " + exact_text(momentum_) + (nesterov_ ? " nesterov " : " ") +
           Base::describe();
  }
  void apply(const Rates& rates, StepValues& values) override {
    Base::apply({.lr = rates.lr}, values);
    check_momentum(rates.momentum.value_or(0));
    const double momentum = rates.momentum.value_or(momentum_);
    require<UsageError>(
        momentum_ > 0 || momentum == 0,
        "optim: the schedule moves the momentum, but this optimizer was built without one");
    values.momentum = momentum;
  }

 protected:
  void update(Member& m, const Range& r, T* p, const StepValues* values, const double* clip,
              Stream stream) override {
    T* velocity = m.state.empty() ? nullptr : m.state[0].data() + r.offset;
    const T* g = m.grads->flat.data() + r.offset;
    run<Device>(stream, op::sgd_step<T>{.count = r.count,
                                        .lr_factor = r.lr_factor,
                                        .decay = r.decay,
                                        .nesterov = nesterov_,
                                        .first = false,
                                        .values = values,
                                        .clip = clip,
                                        .gradient = g,
                                        .velocity = velocity,
                                        .parameter = p});
  }

 private:
  double momentum_;
  bool nesterov_;
};

}  // namespace rnx::inline RNX_ISA::optim
