// Schedules: host functions of the step, from 0, and of how many steps the run has. A schedule is
// any Rates(long step, long steps), which train::fit calls with its own numbers; whoever counts
// epochs calls it with epochs. Points on the way are parts of the run, so that none depends on the
// size of a data set. Bad options throw UsageError when it is called.
#pragma once

#include <algorithm>
#include <numbers>
#include <vector>

#include "rnx/optim/step.hpp"

namespace rnx::inline RNX_ISA::optim {

/// lr
struct Constant {
  double lr = 0.1;
  Rates operator()(long, long) const { return check_lr(lr), Rates{lr}; }
};

/// base gamma^k, k: how many milestones are at most `step` (PyTorch's MultiStepLR)
struct MultiStep {
  double base = 0.1;
  std::vector<double> milestones{};  ///< parts of the run, in [0, 1]: {0.5, 0.75}; rounded down
  double gamma = 0.1;
  Rates operator()(long step, long steps) const {
    check_lr(base);
    check_lr(gamma);
    double lr = base;
    for (const double m : milestones) {
      expect(m >= 0 && m <= 1, "milestones are parts of a run, in [0, 1]", m);
      lr *= step >= long(m * double(steps)) ? gamma : 1;
    }
    return {lr};
  }
};

/// minimum + (base - minimum) (1 + cos(pi step / steps)) / 2; `minimum` from step `steps` on
/// (CosineAnnealingLR; Loshchilov & Hutter 2017)
struct Cosine {
  double base = 0.1;
  double minimum = 0;
  Rates operator()(long step, long steps) const {
    check_lr(base);
    check_lr(minimum);
    require<UsageError>(steps > 0, "optim: a cosine schedule needs at least one step");
    const double part = double(std::clamp(step, 0l, steps)) / double(steps);
    return {minimum + (base - minimum) * (1 + std::cos(std::numbers::pi * part)) / 2};
  }
};

/// 0 -> max over the first `peak` of the steps, then max -> 0, linear (the cyclic schedule of Wong
/// et al. 2020 has peak = 0.4)
struct Triangular {
  double max = 0.2;
  double peak = 0.5;  ///< part of the run, in (0, 1)
  Rates operator()(long step, long steps) const {
    check_lr(max);
    require<UsageError>(steps > 0 && peak > 0 && peak < 1,
                        "optim: a triangular schedule needs steps and a peak between 0 and 1");
    const double k = double(std::clamp(step, 0l, steps)), top = peak * double(steps);
    return {k <= top ? max * k / top : max * (double(steps) - k) / (double(steps) - top)};
  }
};

/// PyTorch's OneCycleLR with two phases (Smith & Topin 2018): lr  max/div -> max -> max/(div
/// final_div), momentum  high -> low -> high.
/// The first phase ends at step warm steps - 1. Throws UsageError for a step outside [0, steps).
struct OneCycle {
  double max = 0.1;
  double warm = 0.3;    ///< part of the run: pct_start
  bool linear = false;  ///< else cosine
  double div = 25, final_div = 1e4;
  bool cycle_momentum = true;
  double momentum_low = 0.85, momentum_high = 0.95;  ///< base_momentum, max_momentum
  Rates operator()(long step, long steps) const {
    check_lr(max);
    check_momentum(momentum_low);
    check_momentum(momentum_high);
    require<UsageError>(div > 0 && final_div > 0,
                        "optim: the divisors of a one-cycle schedule must be positive");
    const double first = warm * double(steps) - 1, last = double(steps) - 1;
    require<UsageError>(first > 1e-6 && first < last - 1e-6,
                        "optim: both phases of a one-cycle schedule need more than one step");
    require<UsageError>(step >= 0 && step < steps, [&] {
      return "optim: step " + std::to_string(step) + " of a one-cycle schedule of " +
             std::to_string(steps);
    });
    const bool up = double(step) <= first;
    const double part = up ? double(step) / first : (double(step) - first) / (last - first);
    const double weight = linear ? 1 - part : (1 + std::cos(std::numbers::pi * part)) / 2;
    const auto between = [&](double a, double b) { return b + (a - b) * weight; };
    const double start = max / div;
    Rates r{up ? between(start, max) : between(max, start / final_div)};
    if (cycle_momentum)
      r.momentum = up ? between(momentum_high, momentum_low) : between(momentum_low, momentum_high);
    return r;
  }
};

/// A warm-up of w = part steps, rounded down, before another schedule (Goyal et al. 2017):
/// schedule(0, steps - w) (step + 1) / w, then schedule(step - w, steps - w)
template <class Schedule> struct Warmup {
  Schedule schedule;
  double part = 0;  ///< of the run, in [0, 1)
  Rates operator()(long step, long steps) const {
    expect(part >= 0 && part < 1, "a warm-up is a part of the run, in [0, 1)", part);
    const long w = long(part * double(steps));
    if (step >= w) return schedule(step - w, steps - w);
    Rates r = schedule(0, steps - w);
    r.lr *= double(step + 1) / double(w);
    return r;
  }
};
template <class Schedule> Warmup(Schedule, double) -> Warmup<Schedule>;

}  // namespace rnx::inline RNX_ISA::optim
