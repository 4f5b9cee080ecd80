// What an attack is; a type that is none is named in one sentence of the compiler's.
#pragma once

#include <concepts>

#include "rnx/attack/input_gradient.hpp"

namespace rnx::inline RNX_ISA::attack {

/// What of an attack does not depend on T and Device.
template <class A>
concept AttackMembers = requires(const A& attack, StepValues& values) {
  { A::norm::kind } -> std::convertible_to<op::Norm>;
  { A::norm::name } -> std::convertible_to<const char*>;
  { attack.eps } -> std::convertible_to<double>;
  attack.set(values);
};

/// An attack on a victim V (a NetworkBase, a WhiteBox, a Victim) by a per-sample loss.
///
/// Requires
///   norm           a type with `kind` (op::Norm) and `name`: of the ball that results are checked
///                  against (norm.hpp)
///   eps            the ball's radius, a Rational, in units of [0, 1]
///   set(values)    writes eps and step, which kernels read in device memory
///   attack(victim, work, x, adversarial, loss, ctx, draw)    const; work was made for the victim,
///                  x and adversarial are dense and apart, ctx says mode, path and samples of x,
///                  draw tells restarts apart
/// Ensures that it assigns `adversarial`, images in [0, 1] in the ball around x; that where
/// ctx.values is set, radius and step are read there; that a sample's image depends on the sample,
/// its id and the draws alone, where the victim is in eval mode; and that it changes nothing but
/// the workspace, so that several threads may share it.
/// A member `seed` is added to an evaluation's; passes() and describe() are for training
/// (train::Adversary); eps and step that can be assigned a Rational follow schedules and curves.
template <class A, class T, class Device, class Loss = loss::CrossEntropy,
          class V = NetworkBase<T, Device>>
concept Attack = AttackMembers<A> &&
    requires(const A& attack, const V& victim, Workspace<T, Device>& work, View<const T, Device> x,
             View<T, Device> adversarial, const Loss& loss, const Context& ctx,
             std::uint64_t draw) {
  attack(victim, work, x, adversarial, loss, ctx, draw);
};

#define RNX_IS_NO_ATTACK                                                                   \
  "rnx: an attack has `norm`, `eps`, `set(StepValues&)` and `operator()(victim, work, x, " \
  "adversarial, loss, ctx, draw) const`; see attack/contract.hpp"

/// Whether it is one; if not, one sentence says so.
template <class A, class T, class Device, class Loss = loss::CrossEntropy,
          class V = NetworkBase<T, Device>>
constexpr bool expect_attack() {
  constexpr bool fits = Attack<A, T, Device, Loss, V>,
                 climbs =
                     !fits && std::is_same_v<V, Victim<T, Device>> && Attack<A, T, Device, Loss>;
  static_assert(!climbs, RNX_NEEDS_WHITE_BOX);
  static_assert(fits || climbs, RNX_IS_NO_ATTACK);
  return fits;
}

}  // namespace rnx::inline RNX_ISA::attack
