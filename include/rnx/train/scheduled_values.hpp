// The values of a run that schedules move: learning rates, weights, temperatures, radii.
#pragma once

#include "rnx/core/checksum.hpp"
#include "rnx/train/fit_options.hpp"
#include "rnx/train/step.hpp"

namespace rnx::inline RNX_ISA::train {

/// Writes the values of a step from its moment alone, so that a resumed run has those of an
/// unbroken one.
template <class Device> class ScheduledValues {
 public:
  /// Errors: UsageError where a schedule names a value that the run has not, two name the same one,
  /// or a stepper has no rates.
  ScheduledValues(Step<float, Device>& step, const FitOptions& o) : step_(step), o_(o) {
    for (const Schedule& s : o.schedules) {
      require<UsageError>(bool(s.of),
                          [&] { return "fit: the schedule of '" + s.value + "' is empty"; });
      for (const Target& t : targets_)
        require<UsageError>(t.schedule->value != s.value,
                            [&] { return "fit: '" + s.value + "' has two schedules"; });
      targets_.push_back(target_of(s));
    }
    for (std::size_t k = 0; k < step.steppers().size(); ++k) {
      const bool named = std::any_of(targets_.begin(), targets_.end(),
                                     [&](const Target& t) { return t.lr_of == int(k); });
      require<UsageError>(named || bool(o.schedule), [&] {
        const std::string& name = step.steppers()[k].name;
        return name.empty() ? std::string("fit: a schedule is needed")
                            : "fit: the stepper '" + name + "' has no schedule";
      });
    }
    rates_.resize(step.steppers().size());
  }

  /// What the values of this moment are, to the step.
  void set(const Moment& m, std::uint64_t seed) {
    const long index = m.done * m.replays + m.replay;
    StepValues common{.seed = seed, .draw = std::uint64_t(index) << draw_bits_of_step};
    compute(m);
    for (std::size_t k = 0; k < targets_.size(); ++k) {
      const Target& t = targets_[k];
      if (t.temperature) common.temperature = moved_[k].lr;
      if (t.set) t.set(moved_[k].lr);
    }
    step_.set(common, rates_);
    add_to(checksum_);
  }
  /// The first stepper's learning rate at the last step.
  double lr() const { return rates_.front().lr; }
  /// Checksum of all values of all steps so far.
  std::uint64_t checksum() const { return checksum_.value(); }
  /// Takes up a run whose steps up to this moment have been done.
  void skip(Moment m, long batches) {
    for (m.done = 0; m.done < batches; ++m.done)
      for (m.replay = 0; m.replay < m.replays; ++m.replay) {
        m.epoch = int(m.done / m.steps);
        m.step = m.done % m.steps;
        compute(m);
        add_to(checksum_);
      }
  }

 private:
  struct Target {
    const Schedule* schedule;
    int lr_of = -1, momentum_of = -1;  ///< steppers
    bool temperature = false;
    std::function<void(double)> set{};
  };

  Target target_of(const Schedule& s) const {
    Target t{.schedule = &s};
    const auto& steppers = step_.steppers();
    for (std::size_t k = 0; k < steppers.size(); ++k) {
      const std::string prefix = steppers[k].name.empty() ? "" : steppers[k].name + ".";
      if (s.value == prefix + "lr") t.lr_of = int(k);
      if (s.value == prefix + "momentum") t.momentum_of = int(k);
    }
    t.temperature = s.value == "temperature";
    for (const auto& v : step_.stage().plan().values)
      if (v.name == s.value) t.set = v.set;
    require<UsageError>(t.lr_of >= 0 || t.momentum_of >= 0 || t.temperature || t.set, [&] {
      std::string known = "temperature";
      for (const auto& stepper : steppers) {
        const std::string prefix = ", " + (stepper.name.empty() ? "" : stepper.name + ".");
        known += prefix + "lr" + prefix + "momentum";
      }
      for (const auto& v : step_.stage().plan().values) known += ", " + v.name;
      return "fit: there is no value '" + s.value + "' for a schedule; there are " + known;
    });
    return t;
  }
  void compute(const Moment& m) {
    if (o_.schedule) {
      const optim::Rates usual = o_.schedule(m.done * m.replays + m.replay, m.total * m.replays);
      std::fill(rates_.begin(), rates_.end(), usual);
    }
    moved_.clear();
    for (const Target& t : targets_) {
      moved_.push_back(t.schedule->of(m));
      require<UsageError>(std::isfinite(moved_.back().lr), [&] {
        return "fit: the schedule of '" + t.schedule->value + "' gave a value that is not finite";
      });
      if (t.lr_of >= 0) rates_[std::size_t(t.lr_of)] = moved_.back();
    }
    for (std::size_t k = 0; k < targets_.size(); ++k)  // behind learning rates that bring their own
      if (const int s = targets_[k].momentum_of; s >= 0)
        rates_[std::size_t(s)].momentum = moved_[k].lr;
  }
  void add_to(Checksum& sum) const {
    const auto add = [&](const optim::Rates& r) {
      const double values[] = {r.lr, r.momentum.value_or(-1)};
      sum.add(values, sizeof values);
    };
    for (const optim::Rates& r : rates_) add(r);
    for (const optim::Rates& r : moved_) add(r);
  }

  Step<float, Device>& step_;
  const FitOptions& o_;
  std::vector<Target> targets_;
  std::vector<optim::Rates> rates_, moved_;
  Checksum checksum_;
};

}  // namespace rnx::inline RNX_ISA::train
