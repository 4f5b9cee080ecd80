// The training loop: epochs of shuffled, augmented batches, evaluated, saved and resumed. Prints
// nothing; progress goes to callbacks.
#pragma once

#include "rnx/train/run.hpp"

namespace rnx::inline RNX_ISA::train {

namespace detail {
/// Drives a run to its end, or to the stop.
template <class Device>
Outcome drive(Run<Device>& run, const std::function<void(const Progress&)>& callbacks) {
  while (!run.finished() || run.unscored()) {
    if (run.unscored())
      run.score();
    else
      run.advance();
    if (!run.unscored()) callbacks(run.progress());
    const bool stop = run.stopping();
    if (!run.due() && !(stop && run.saving() && !run.saved())) {
      if (stop) return {run.finished() && !run.unscored(), run.progress()};
      continue;
    }
    const bool last = run.finished() || stop;
    require<FileError>(run.save() || !last,
                       "the last checkpoint of the run could not be written; --resume continues "
                       "from the one before");
    if (stop && (!run.finished() || run.unscored())) return {false, run.progress()};
  }
  return {true, run.progress()};
}
}  // namespace detail

/// Trains `net` in place. An evaluation that FitOptions::stop ends (it throws Stopped) is made at
/// the resume, before the run goes on, and callbacks are told of its epoch then. The order of an
/// epoch, the augmentation of a sample and every random number depend on the seed alone. Callbacks
/// are called with (const Progress&) after every batch, in their order, before a checkpoint is
/// written. What one with a member state() (std::vector<optim::State<float>>) lists is part of
/// checkpoints; with_state() gives a lambda that member. The optimizer's state starts at zero, or
/// as the store has it, and ends with the run.
/// Errors: NumericError when a loss is not finite, UsageError (options, a checkpoint of another
/// configuration), FileError (a checkpoint that cannot be read, or the last one that cannot be
/// written).
template <class Device, class... Callbacks>
Outcome fit(NetworkBase<float, Device>& net, const data::Source& source,
            std::type_identity_t<AnyObjective<float, Device>> objective,
            std::type_identity_t<std::vector<Stepper<float, Device>>> steppers, const FitOptions& o,
            Callbacks&&... callbacks) {
  const auto state_of_callbacks = [&] {
    std::vector<optim::State<float>> list;
    (detail::append_state(list, callbacks), ...);
    return list;
  };
  Run<Device> run(net, source, std::move(objective), std::move(steppers), o, state_of_callbacks);
  return detail::drive(run, [&](const Progress& p) { (callbacks(p), ...); });
}
/// The same with one optimizer, which steps everything.
template <class Device, class... Callbacks>
Outcome fit(NetworkBase<float, Device>& net, const data::Source& source,
            std::type_identity_t<AnyObjective<float, Device>> objective,
            optim::Optimizer<float, Device>& optimizer, const FitOptions& o,
            Callbacks&&... callbacks) {
  std::vector<Stepper<float, Device>> one{{.name = "", .optimizer = optimizer}};
  return fit<Device>(net, source, std::move(objective), std::move(one), o,
                     std::forward<Callbacks>(callbacks)...);
}
/// The same on images in memory.
template <class Device, class... Callbacks>
Outcome fit(NetworkBase<float, Device>& net, const data::Images& images,
            std::type_identity_t<AnyObjective<float, Device>> objective,
            std::type_identity_t<std::vector<Stepper<float, Device>>> steppers, const FitOptions& o,
            Callbacks&&... callbacks) {
  return fit<Device>(net, data::Memory(images), std::move(objective), std::move(steppers), o,
                     std::forward<Callbacks>(callbacks)...);
}
template <class Device, class... Callbacks>
Outcome fit(NetworkBase<float, Device>& net, const data::Images& images,
            std::type_identity_t<AnyObjective<float, Device>> objective,
            optim::Optimizer<float, Device>& optimizer, const FitOptions& o,
            Callbacks&&... callbacks) {
  return fit<Device>(net, data::Memory(images), std::move(objective), optimizer, o,
                     std::forward<Callbacks>(callbacks)...);
}

}  // namespace rnx::inline RNX_ISA::train
