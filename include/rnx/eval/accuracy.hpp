// Clean and attacked accuracy. Success is computed again by a fresh forward on the final image;
// norm and range are verified first.
#pragma once

#include <concepts>

#include "rnx/eval/evaluation.hpp"

namespace rnx::inline RNX_ISA::eval {

/// The loss that attacks climb unless another one is named: cross-entropy.
struct ByCrossEntropy {
  loss::CrossEntropy operator()(const std::int32_t* labels) const { return {.labels = labels}; }
};

namespace detail {
/// The image itself: how a victim that gives logits alone is evaluated where nothing attacks it.
struct ImageItself {
  using norm = norm::Linf;
  Rational eps = 0;
  void set(StepValues& v) const { v.eps = eps; }
  template <class V, class T, class Device, class Loss>
  void operator()(const V&, attack::Workspace<T, Device>&, View<const T, Device> x,
                  View<T, Device> adversarial, const Loss&, const Context& ctx,
                  std::uint64_t) const {
    run<Device>({ctx.stream}, op::copy<T>{.from = x, .to = attack::detail::map(adversarial)});
  }
};
template <class T, class Device, class V, class Set>
Accuracy unattacked(const attack::VictimRef<T, Device>& ref, const V& victim, const Set& set,
                    const Options& o) {
  using Gradients = attack::WhiteBoxRef<T, Device>;
  using None =
      std::conditional_t<std::is_convertible_v<const V&, Gradients>, attack::Pgd<>, ImageItself>;
  return evaluate(ref, victim, set, std::span<const None>{}, ByCrossEntropy{}, o)[0];
}
}  // namespace detail

/// Predictions of a data set's samples (data::Images, or a data::Source) in their order. The victim
/// is a network or what attack/victim.hpp has beside it; where it makes several predictions of a
/// sample, all must be right.
/// Errors: UsageError (options), ShapeError (images of another shape), NumericError (logits that
/// are not finite), Stopped (Options::stop).
template <class Victim, class Set>
Accuracy accuracy(const Victim& victim, const Set& set, const Options& o = {}) {
  const auto& v = detail::victim_of(victim);
  return detail::unattacked(attack::VictimRef(v), v, set, o);
}
/// The same, and under an attack (attack/contract.hpp), called for each restart with another draw;
/// its own radius, step and starts hold, as in training. make_loss(labels) returns the per-sample
/// loss (loss/call.hpp) that the attack climbs; labels: device memory, one for each sample of a
/// batch. An attack without a member `seed` takes no Options::seed.
///   eval::accuracy(net, set, pgd, [](const std::int32_t* y) { return Margin{y}; }, {.batch = 100})
/// Errors: UsageError for samples without labels, NumericError for images that are not finite or
/// leave their ball, too.
template <class Victim, class Set, class Attack, class MakeLoss>
Accuracy accuracy(
    const Victim& victim, const Set& set, const Attack& attack, const MakeLoss& make_loss,
    const Options& o = {}) requires std::invocable<const MakeLoss&, const std::int32_t*> {
  const auto& v = detail::victim_of(victim);
  return detail::evaluate(attack::VictimRef(v), v, set, std::span(&attack, 1), make_loss, o)[0];
}
template <class Victim, class Set, class Attack>
Accuracy accuracy(const Victim& victim, const Set& set, const Attack& attack,
                  const Options& o = {}) requires(!std::is_same_v<Attack, Options>) {
  const auto& v = detail::victim_of(victim);
  return detail::evaluate(attack::VictimRef(v), v, set, std::span(&attack, 1), ByCrossEntropy{},
                          o)[0];
}

/// The same for several radii in one pass over the data: clean images are predicted once, and each
/// radius has the bits of a call of its own. A step that follows eps does so.
///   eval::curve(net, set, pgd, {px(2), px(4), px(8)}, {.batch = 100})
template <class Victim, class Set, class Attack, class MakeLoss>
std::vector<Accuracy> curve(
    const Victim& victim, const Set& set, const Attack& attack, const std::vector<Rational>& radii,
    const MakeLoss& make_loss,
    const Options& o = {}) requires std::invocable<const MakeLoss&, const std::int32_t*> {
  static_assert(
      requires(Attack a) { a.eps = Rational(1.0); },
      "rnx: a curve needs an attack whose eps can be set");
  require<UsageError>(!radii.empty(), "eval: a curve needs a radius");
  std::vector<Attack> attacks(radii.size(), attack);
  for (std::size_t k = 0; k < radii.size(); ++k) attacks[k].eps = radii[k];
  const auto& v = detail::victim_of(victim);
  return detail::evaluate(attack::VictimRef(v), v, set, std::span<const Attack>(attacks), make_loss,
                          o);
}
template <class Victim, class Set, class Attack>
std::vector<Accuracy> curve(const Victim& victim, const Set& set, const Attack& attack,
                            const std::vector<Rational>& radii, const Options& o = {}) {
  return curve(victim, set, attack, radii, ByCrossEntropy{}, o);
}

/// Results of attacks on the same samples, one after the other: a sample stays robust as long as it
/// is in all so far. So a curve over growing radii falls, since what lies in a smaller ball lies in
/// the larger one. Errors: ShapeError (other samples).
inline std::vector<Accuracy> after_each(std::vector<Accuracy> results) {
  for (std::size_t k = 1; k < results.size(); ++k) {
    const std::vector<Sample>& before = results[k - 1].samples;
    require<ShapeError>(results[k].samples.size() == before.size(),
                        "eval: results of other samples");
    for (std::size_t i = 0; i < before.size(); ++i) {
      Sample& s = results[k].samples[i];
      require<ShapeError>(s.label == before[i].label && s.clean == before[i].clean,
                          "eval: results of other samples");
      if (s.robust && !before[i].robust) s = before[i];
    }
  }
  return results;
}

}  // namespace rnx::inline RNX_ISA::eval
