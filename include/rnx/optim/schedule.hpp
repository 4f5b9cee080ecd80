// Schedules: host functions of the step (or epoch, as the caller counts), from 0. A schedule is any
// Rates(long); bad options throw UsageError when it is called.
#pragma once

#include <algorithm>
#include <numbers>
#include <vector>

#include "rnx/optim/step.hpp"

namespace rnx::inline RNX_ISA::optim {

/// lr
struct Constant {
  double lr = 0.1;
  Rates operator()(long) const { return check_lr(lr), Rates{lr}; }
};

/// base gamma^k, k: how many milestones are at most `step` (PyTorch's MultiStepLR)
struct MultiStep {
  double base = 0.1;
  std::vector<long> milestones{};
  double gamma = 0.1;
  Rates operator()(long step) const {
    check_lr(base);
    check_lr(gamma);
    double lr = base;
    for (const long m : milestones) lr *= step >= m ? gamma : 1;
    return {lr};
  }
};

/// minimum + (base - minimum) (1 + cos(pi step / total)) / 2; `minimum` from step `total` on
/// (CosineAnnealingLR; Loshchilov & Hutter 2017)
struct Cosine {
  double base = 0.1;
  long total = 1;
  double minimum = 0;
  Rates operator()(long step) const {
    check_lr(base);
    check_lr(minimum);
    require<UsageError>(total > 0, "optim: a cosine schedule needs at least one step");
    const double part = double(std::clamp(step, 0l, total)) / double(total);
    return {minimum + (base - minimum) * (1 + std::cos(std::numbers::pi * part)) / 2};
  }
};

/// 0 -> max over the first `peak` of the steps, then max -> 0, linear (the cyclic schedule of Wong
/// et al. 2020 has peak = 0.4)
struct Triangular {
  double max = 0.2;
  long total = 1;
  double peak = 0.5;  ///< in (0, 1)
  Rates operator()(long step) const {
    check_lr(max);
    require<UsageError>(total > 0 && peak > 0 && peak < 1,
                        "optim: a triangular schedule needs steps and a peak between 0 and 1");
    const double k = double(std::clamp(step, 0l, total)), top = peak * double(total);
    return {k <= top ? max * k / top : max * (double(total) - k) / (double(total) - top)};
  }
};

/// PyTorch's OneCycleLR with two phases (Smith & Topin 2018): lr  max/div -> max -> max/(div
/// final_div), momentum  high -> low -> high.
/// The first phase ends at step warm total - 1. Throws UsageError for a step outside [0, total).
struct OneCycle {
  double max = 0.1;
  long total = 2;
  double warm = 0.3;    ///< pct_start
  bool linear = false;  ///< else cosine
  double div = 25, final_div = 1e4;
  bool cycle_momentum = true;
  double momentum_low = 0.85, momentum_high = 0.95;  ///< base_momentum, max_momentum
  Rates operator()(long step) const {
    check_lr(max);
    check_momentum(momentum_low);
    check_momentum(momentum_high);
    require<UsageError>(div > 0 && final_div > 0,
                        "optim: the divisors of a one-cycle schedule must be positive");
    const double first = warm * double(total) - 1, last = double(total) - 1;
    require<UsageError>(first > 1e-6 && first < last - 1e-6,
                        "optim: both phases of a one-cycle schedule need more than one step");
    require<UsageError>(step >= 0 && step < total, [&] {
      return "optim: step " + std::to_string(step) + " of a one-cycle schedule of " +
             std::to_string(total);
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

/// schedule(0) (step + 1) / steps over the first `steps`, then schedule(step - steps) (Goyal et al.
/// 2017)
template <class Schedule> struct Warmup {
  Schedule schedule;
  long steps = 0;
  Rates operator()(long step) const {
    require<UsageError>(steps >= 0, "optim: a warm-up cannot have a negative number of steps");
    if (step >= steps) return schedule(step - steps);
    Rates r = schedule(0);
    r.lr *= double(step + 1) / double(steps);
    return r;
  }
};
template <class Schedule> Warmup(Schedule, long) -> Warmup<Schedule>;
template <class Schedule> Warmup(Schedule, int) -> Warmup<Schedule>;

}  // namespace rnx::inline RNX_ISA::optim
