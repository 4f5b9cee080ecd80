// Adam.
#pragma once

#include "rnx/optim/optimizer.hpp"

namespace rnx::inline RNX_ISA::optim {

struct AdamOptions {
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
  double weight_decay = 0;  ///< added to the gradient, as in PyTorch's Adam
  std::vector<Group> groups{};
};

/// g' = clip g + decay p;  m = b1 m + (1 - b1) g';  v = b2 v + (1 - b2) g'^2;  p -= lr factor m /
///                         (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps)
/// (Kingma & Ba 2015). t counts steps on the host and is an argument of the launch: a recorded step
/// replays with the bias corrections of the step it was recorded at, so record after they have
/// faded (b2^t small), or step directly. t is a part of state(). A schedule that moves the momentum
/// moves b1, as PyTorch's OneCycleLR does; b1 is an argument of the launch, too.
/// Throws UsageError for a beta outside [0, 1), eps <= 0, negative decay or factor.
template <class T = float, class Device = default_device>
class Adam final : public Optimizer<T, Device> {
  using Base = Optimizer<T, Device>;
  using typename Base::Member, typename Base::Range;

 public:
  explicit Adam(AdamOptions o = {})
      : Base(o.weight_decay, std::move(o.groups), {"exp_avg", "exp_avg_sq"}),
        beta1_(o.beta1),
        beta1_now_(o.beta1),
        beta2_(o.beta2),
        eps_(o.eps) {
    for (const double beta : {beta1_, beta2_})
      expect(beta >= 0 && beta < 1, "Adam's betas must be in [0, 1)", beta);
    expect(eps_ > 0 && std::isfinite(eps_), "Adam's eps must be positive", eps_);
  }
  /// Steps done so far.
  long steps() const { return long(steps_); }
  void set_steps(long steps) {
    expect(steps >= 0, "Adam's counter of steps must not be negative", double(steps));
    steps_ = steps;
  }

  std::string describe() const override {
    return "adam betas " + exact_text(beta1_) + " " + exact_text(beta2_) + " eps " +
           exact_text(eps_) + " " + Base::describe();
  }
  void apply(const Rates& rates, StepValues& values) override {
    check_momentum(rates.momentum.value_or(0));
    Base::apply({.lr = rates.lr}, values);
    beta1_now_ = rates.momentum.value_or(beta1_);
  }
  std::vector<State<T>> state() override {
    auto list = Base::state();
    list.push_back({.name = "steps", .number = &steps_});
    return list;
  }

 protected:
  void before_step() override { ++steps_; }
  void reset() override {
    steps_ = 0;
    beta1_now_ = beta1_;
  }
  void update(Member& m, const Range& r, T* p, const StepValues* values, const double* clip,
              Stream stream) override {
    const T* g = m.grads->flat.data() + r.offset;
    run<Device>(stream, op::adam_step<T>{.count = r.count,
                                         .lr_factor = r.lr_factor,
                                         .beta1 = beta1_now_,
                                         .beta2 = beta2_,
                                         .eps = eps_,
                                         .decay = r.decay,
                                         .t = long(steps_),
                                         .values = values,
                                         .clip = clip,
                                         .gradient = g,
                                         .m = m.state[0].data() + r.offset,
                                         .v = m.state[1].data() + r.offset,
                                         .parameter = p});
  }

 private:
  double beta1_, beta1_now_, beta2_, eps_;  // beta1_now_: of the next step
  std::int64_t steps_ = 0;
};

}  // namespace rnx::inline RNX_ISA::optim
