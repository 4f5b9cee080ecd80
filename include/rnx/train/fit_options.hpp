// What a run is told beside its network, data and objective.
#pragma once

#include <atomic>
#include <functional>
#include <type_traits>

#include "rnx/data/loader.hpp"
#include "rnx/optim.hpp"
#include "rnx/train/moment.hpp"
#include "rnx/train/progress.hpp"
#include "rnx/train/store.hpp"

namespace rnx::inline RNX_ISA::train {

/// Where and how often a run is saved. The run that `store` holds is continued: with the same
/// options it ends with the bits of a run that was never stopped.
struct Saving {
  AnyStore* store = nullptr;  ///< a Store of the network's device; null: nothing is saved
  double every = 600;         ///< seconds between checkpoints inside an epoch
  long every_steps = 0;       ///< batches between checkpoints (0: by time alone)
  /// told the sentence when a checkpoint could not be written: training goes on, the one before
  /// stays
  std::function<void(const std::string&)> failed{};
};

/// Moves a value of the run at each step: "<stepper>.lr" or "<stepper>.momentum" ("lr", "momentum"
/// of the only one), one that an item of the objective declared ("kl.adv.weight", "adv.eps"), or
/// "temperature", of Gumbel-softmax draws.
///   {"adv.eps", optim::Cosine{.base = 8. / 255}}     any schedule (optim/schedule.hpp): its lr
///   {"temperature", [](const Moment& m) { return 5 * std::exp(-0.045 * m.epoch); }}
struct Schedule {
  std::string value;
  std::function<optim::Rates(const Moment&)> of;

  template <class F>
  Schedule(std::string name, F schedule)
      : value(std::move(name)),
        of(by_moment(std::move(schedule))) {}

 private:
  template <class F> static std::function<optim::Rates(const Moment&)> by_moment(F f) {
    if constexpr (std::is_invocable_v<F, const Moment&>)
      return [f](const Moment& m) { return optim::Rates(f(m)); };
    else
      return [f](const Moment& m) { return f(m.done * m.replays + m.replay, m.total * m.replays); };
  }
};

struct FitOptions {
  int epochs = 1, batch = 128;
  std::uint64_t seed = 0;
  data::Augment augment = data::crop_and_flip();  ///< of the view "clean"; {}: samples as they are
  /// rates of a step, of all steps of the run (replays count): optim::OneCycle{.max = 0.2}, or any
  /// other schedule (optim/schedule.hpp). Of every stepper that `schedules` do not name.
  std::function<optim::Rates(long step, long steps)> schedule{};
  std::vector<Schedule> schedules{};
  /// threads that prepare batches ahead of training, at most host::max_threads
  int loader_threads = 1;
  /// called at the end of every `evaluate_every`-th epoch and of the last
  std::function<Scores()> evaluate{};
  int evaluate_every = 1;
  Saving saving{};
  /// when it becomes true (a signal), the step is finished, a checkpoint written, and fit
  /// returns
  const std::atomic<bool>* stop = nullptr;
};

struct Outcome {
  bool finished = true;  ///< false: stopped
  Progress last{};
};

}  // namespace rnx::inline RNX_ISA::train
