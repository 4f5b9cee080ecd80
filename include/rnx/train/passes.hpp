// Views that the loader makes, and passes: forwards of a view through the student or another
// network.
#pragma once

#include "rnx/train/objective.hpp"

namespace rnx::inline RNX_ISA::train {

/// A further view of each sample, made by the loader; keyed by seed, epoch, sample and its number
/// among the views.
template <fixed_string Name> struct Augmented {
  data::Augment augment{};
  static constexpr std::array<NameOf, 1> provides{view_named(Name.text)};

  template <class T, class Device> void plan(Planner<T, Device>& p) {
    p.loaded(Name.c_str(), augment);
  }
};

/// A forward of the student that is trained: its backward runs behind the last item that reads it.
/// In train mode its batch statistics are folded in at once, `commits` times.
template <fixed_string Name, fixed_string Of = Name> struct Forward {
  int path = 0;  ///< batch-norm path
  Rows rows{};   ///< of the batch
  Mode mode = Mode::train;
  int commits = 1;
  std::string into{};  ///< the stepper that takes its gradients; empty: all others
  static constexpr std::array<NameOf, 1> provides{pass_named(Name.text)},
      reads{view_named(Of.text)};

  template <class T, class Device> void plan(Planner<T, Device>& p) {
    p.pass(Name.c_str(), {.view = Of.c_str(),
                          .mode = mode,
                          .path = path,
                          .rows = rows,
                          .commits = commits,
                          .into = into});
  }
  template <class T, class Device> void step(Stage<T, Device>& s) { s.forward(Name.c_str()); }
};

/// A forward of the student as it stands, with its current subnet and without gradients.
template <fixed_string Name, fixed_string Of = "clean"> struct Still {
  int path = 0;
  Rows rows{};
  Mode mode = Mode::eval;
  static constexpr std::array<NameOf, 1> provides{pass_named(Name.text)},
      reads{view_named(Of.text)};

  template <class T, class Device> void plan(Planner<T, Device>& p) {
    p.pass(Name.c_str(),
           {.view = Of.c_str(), .trained = false, .mode = mode, .path = path, .rows = rows});
  }
  template <class T, class Device> void step(Stage<T, Device>& s) { s.forward(Name.c_str()); }
};

/// A forward of another network, in eval mode; it must outlive the run. No net: the student's
/// largest subnet, as it is now (ProARD's live teacher).
template <fixed_string Name, fixed_string Of = "clean"> struct Teacher {
  NetRef net{};
  const Subnet* subnet = nullptr;  ///< of `net`; null: the largest
  int path = 0;
  Rows rows{};
  static constexpr std::array<NameOf, 1> provides{pass_named(Name.text)},
      reads{view_named(Of.text)};

  template <class T, class Device> void plan(Planner<T, Device>& p) {
    p.pass(Name.c_str(), {.view = Of.c_str(),
                          .net = net,
                          .trained = false,
                          .mode = Mode::eval,
                          .path = path,
                          .rows = rows,
                          .largest = !net,
                          .subnet = subnet});
  }
  template <class T, class Device> void step(Stage<T, Device>& s) { s.forward(Name.c_str()); }
};

/// The items behind it run once for each of `count` subnets, whose gradients add up; draw(key)
/// chooses one, with a key of its own for each step, or for each epoch.
struct Subnets {
  enum class Per { step, epoch };
  int count = 1;
  Per per = Per::step;
  std::function<Subnet(std::uint64_t key)> draw{};
  static constexpr std::array<NameOf, 0> provides{};

  template <class T, class Device> void plan(Planner<T, Device>& p) {
    require<UsageError>(count > 0 && draw, "objective: Subnets needs a count and a draw");
    p.repeats_rest();
    p.fact("subnets " + std::to_string(count) + (per == Per::step ? " a step" : " an epoch"));
  }
  template <class T, class Device> void around(Stage<T, Device>& s, const Rest& rest) {
    const int behind = s.item();
    const auto at = std::uint64_t(per == Per::step ? s.now.done : s.now.epoch);
    for (int k = 0; k < count; ++k) {
      s.choose(draw(at * std::uint64_t(count) + std::uint64_t(k)));
      s.set_item(behind);
      rest();
    }
  }
};

}  // namespace rnx::inline RNX_ISA::train
