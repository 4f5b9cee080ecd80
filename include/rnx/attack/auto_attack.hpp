// AutoAttack (Croce & Hein 2020): a fixed sequence of attacks, each on what the ones before it have
// left standing.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "rnx/attack/auto_pgd_targeted.hpp"
#include "rnx/attack/fab.hpp"
#include "rnx/attack/square.hpp"

namespace rnx::inline RNX_ISA::attack {

/// standard  apgd-ce, apgd-t, fab-t, square: what robust accuracies are published with
/// plus      apgd-ce, apgd-dlr and fab with 5 restarts, square, apgd-t, fab-t
/// rand      apgd-ce and apgd-dlr on the mean of 20 gradients, for networks with random numbers
enum class AutoAttackVersion { standard, plus, rand };

inline std::string text_of(AutoAttackVersion version) {
  return version == AutoAttackVersion::standard ? "standard"
         : version == AutoAttackVersion::plus   ? "plus"
                                                : "rand";
}

/// Told after each attack of a sequence on a batch: its name, how many samples it had, and which
/// rows of the batch fell.
using SequenceProgress =
    std::function<void(std::string_view name, int stood, std::span<const std::int32_t> fell)>;

/// The sequence on a batch: samples that are right on the clean image are attacked until they fall.
/// Of the loss that it is called with it takes the labels alone.
template <class Norm = norm::Linf> struct AutoAttack {
  using norm = Norm;
  Rational eps = px(8);
  AutoAttackVersion version = AutoAttackVersion::standard;
  std::uint64_t seed = 0;  ///< as Pgd's
  SequenceProgress progress{};

  void set(StepValues& v) const {
    v.eps = eps;
    v.step = eps;
  }
  std::string describe() const {
    return std::string("autoattack ") + text_of(version) + " " + Norm::name + " eps " +
           exact_text(eps) + " seed " + std::to_string(seed);
  }

  /// call(name, attack, make_loss) for each attack in its order; make_loss(labels) is its loss.
  /// classes: of the victim; there are no more targets than other classes.
  template <class Call> void each(int classes, const Call& call) const {
    const bool l1 = Norm::kind == op::Norm::l1;
    const int most = classes - 1, targets = std::min(most, 9);
    const auto ce = [](const std::int32_t* y) { return loss::CrossEntropy{.labels = y}; };
    const auto dlr = [](const std::int32_t* y) { return loss::Dlr{.labels = y}; };
    const Square<Norm> square{.eps = eps, .seed = seed};
    const FabTargeted<Norm> fab_t{.eps = eps, .targets = targets, .seed = seed};
    switch (version) {
      case AutoAttackVersion::standard:
        call("apgd-ce",
             AutoPgd<Norm>{.eps = eps, .restarts = l1 ? 5 : 1, .falling = l1, .seed = seed}, ce);
        call("apgd-t",
             AutoPgdTargeted<Norm>{.eps = eps,
                                   .targets = l1 ? std::min(most, 5) : targets,
                                   .falling = l1,
                                   .seed = seed},
             ce);
        call("fab-t", fab_t, ce);
        call("square", square, ce);
        return;
      case AutoAttackVersion::plus:
        call("apgd-ce", AutoPgd<Norm>{.eps = eps, .restarts = 5, .seed = seed}, ce);
        call("apgd-dlr", AutoPgd<Norm>{.eps = eps, .restarts = 5, .seed = seed}, dlr);
        call("fab", Fab<Norm>{.eps = eps, .restarts = 5, .seed = seed}, ce);
        call("square", square, ce);
        call("apgd-t", AutoPgdTargeted<Norm>{.eps = eps, .targets = targets, .seed = seed}, ce);
        call("fab-t", fab_t, ce);
        return;
      case AutoAttackVersion::rand:
        call("apgd-ce", AutoPgd<Norm>{.eps = eps, .eot = 20, .seed = seed}, ce);
        call("apgd-dlr", AutoPgd<Norm>{.eps = eps, .eot = 20, .seed = seed}, dlr);
    }
  }

  /// As Pgd's, in eval mode. Throws UsageError for fewer than 4 classes, which its targeted attack
  /// needs, before work is spent (`rand`: fewer than 3).
  template <class T, class Device, Labelled Loss>
  void operator()(std::type_identity_t<WhiteBoxRef<T, Device>> victim, Workspace<T, Device>& work,
                  std::type_identity_t<View<const T, Device>> x,
                  std::type_identity_t<View<T, Device>> adversarial, const Loss& loss,
                  Context ctx = {}, std::uint64_t draw = 0) const {
    const int least = version == AutoAttackVersion::rand ? 3 : 4;
    require<UsageError>(victim.classes() >= least, [&] {
      return "attack: AutoAttack " + text_of(version) + " needs at least " + std::to_string(least) +
             " classes, found " + std::to_string(victim.classes());
    });
    const detail::Begun begun = detail::begin<Norm>(*this, work, x, adversarial, ctx, draw);
    detail::Standing<T, Device> standing(victim, work, x, adversarial, loss.labels, begun.ctx,
                                         true);
    std::uint64_t number = 0;
    each(victim.classes(), [&](std::string_view name, auto attack, const auto& make_loss) {
      attack.seed = begun.seed;  // the values hold the rest
      const int stood = standing.size();
      const auto fell = standing.attack([&](const auto& part, const auto& to, const Context& at) {
        attack(victim, work, part, to, make_loss(loss.labels), at, number << draw_bits_of_member);
      });
      if (progress) progress(name, stood, fell);
      ++number;
    });
  }

 private:
  static constexpr int draw_bits_of_member = draw_bits_of_run + 8;  // each has up to 256 runs
};

}  // namespace rnx::inline RNX_ISA::attack
