// An attack on another model, whose images are tried on the victim (Papernot et al. 2016).
#pragma once

#include "rnx/attack/input_gradient.hpp"

namespace rnx::inline RNX_ISA::attack {

/// `Attack` on a surrogate, with the victim's labels and radius: nothing of the victim is asked, so
/// it may give logits alone. Where gradients of the victim are of use, it is not the stronger one.
/// The surrogate (a network, or what has gradients as one) must outlive it, take the same images
/// and have the same classes; it runs in eval mode, on its first batch-norm path. Every call makes
/// a workspace for it, whose passes are counted with the victim's.
template <class Attack, class T = float, class Device = default_device> struct Transfer : Attack {
  WhiteBoxRef<T, Device> surrogate;

  std::string describe() const { return "transfer of " + Attack::describe(); }
  /// As the attack's own. Throws UsageError also for a surrogate of other images or classes.
  template <class Loss>
  void operator()(const VictimRef<T, Device>& victim, Workspace<T, Device>& work,
                  View<const T, Device> x, View<T, Device> adversarial, const Loss& loss,
                  Context ctx = {}, std::uint64_t draw = 0) const {
    require<UsageError>(
        surrogate.input_dims() == victim.input_dims() && surrogate.classes() == victim.classes(),
        "attack: the surrogate must take the victim's images and have its classes");
    require<ShapeError>(x.n <= work.gradient.n(),
                        "attack: the workspace holds fewer samples than the batch");
    ctx.mode = Mode::eval;
    ctx.path = 0;
    ctx.subnet = nullptr;
    const Attack& attack = *this;
    const auto attack_on = [&](const auto& model) {
      Workspace<T, Device> own(model, x.n);
      attack(model, own, x, adversarial, loss, ctx, draw);
      work.count(own.passes());
    };
    surrogate.network() ? attack_on(*surrogate.network()) : attack_on(surrogate.white_box());
  }
};
template <class Attack, class Model> Transfer(Attack, const Model&) -> Transfer<Attack>;

}  // namespace rnx::inline RNX_ISA::attack
