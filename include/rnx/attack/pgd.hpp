// FGSM (Goodfellow et al. 2015), FGSM with random start (Wong et al. 2020) and PGD (Madry et al.
// 2018), in Linf and L2. Images in [0, 1]; every step is projected onto the ball around the clean
// image and onto [0, 1] (FACTS of the reference codes: Linf steps by sign(g), L2 by g / |g|; L2
// clips after projecting). The last iterate is returned.
#pragma once

#include <optional>

#include "rnx/attack/begin.hpp"

namespace rnx::inline RNX_ISA::attack {

/// x' = project(x' + step direction(gradient of the loss)), `steps` times. Without a step its size
/// is 2.5 eps / steps (Madry et al. 2018, L2 attacks): from any start the far side of the ball is
/// within reach, with room to move along it; 2/255 for 10 steps at 8/255.
template <class Norm = norm::Linf> struct Pgd {
  static_assert(Norm::kind != op::Norm::l1, "rnx: PGD steps in Linf and L2; in L1 use AutoPgd");
  using norm = Norm;
  Rational eps = px(8);
  std::optional<Rational> step{};  ///< unset: follows eps, see step_size()
  int steps = 10;
  Start start = Start::random;
  /// added to the seed of the run or evaluation that calls it: tells attacks of one run apart
  std::uint64_t seed = 0;

  /// `step`, or what it is where it is unset.
  Rational step_size() const {
    return step.value_or(Rational{2.5 * eps.numerator / std::max(steps, 1), eps.denominator});
  }
  /// Forwards, and as many backwards, that one call takes for each sample.
  int passes() const { return steps; }
  /// Writes radius and step size: what operator() uses where it is called without values, and what
  /// an objective's set() passes on.
  void set(StepValues& v) const {
    v.eps = eps;
    v.step = step_size();
  }
  /// All that its bits depend on, as one line.
  std::string describe() const {
    const std::string sizes = " eps " + exact_text(eps) + " step " + exact_text(step_size()) +
                              " steps " + std::to_string(steps);
    return std::string("pgd ") + Norm::name + sizes + " start " + text_of(start) + " seed " +
           std::to_string(seed);
  }

  /// victim: a network, or what has gradients as one (victim.hpp), which work was made for.
  /// adversarial: (n, c, h, w), assigned. ctx: mode and path of the model. Where ctx.values is set
  /// (training steps, which may be recorded), eps and step are read there, as set() wrote them;
  /// random starts are keyed by the sums of both seeds and of all draws. `draw` tells restarts
  /// apart. Where ctx.samples lists the rows, each sample gets the bits that it has in the whole
  /// batch. Throws UsageError for an eps or step outside its range, values without a radius and
  /// adversarial images that share memory with the clean ones, Stopped when ctx.stop is set: it is
  /// looked at in each tile of each step.
  template <class T, class Device, class Loss>
  void operator()(std::type_identity_t<WhiteBoxRef<T, Device>> victim, Workspace<T, Device>& work,
                  std::type_identity_t<View<const T, Device>> x,
                  std::type_identity_t<View<T, Device>> adversarial, const Loss& loss,
                  const Context& ctx = {}, std::uint64_t draw = 0) const {
    require<UsageError>(steps >= 0, "attack: the number of steps must not be negative");
    detail::Begun begun = detail::begin<Norm>(*this, work, x, adversarial, ctx, draw);
    detail::start_at<Norm, T, Device>(start, x, adversarial, begun.ctx, begun.seed);
    const View<T, Device> dx = work.gradient.view().samples(0, x.n);
    for (int k = 0; k < steps; ++k) {
      ++begun.ctx.draw;  // dropout of a model attacked in train mode differs from step to step
      input_gradient<T, Device>(victim, work, adversarial, loss, begun.ctx, dx);
      detail::step_along<Norm, T, Device>(dx, x, adversarial, begun.ctx);
    }
  }
};

/// One step. Start::clean: length eps (FGSM). Otherwise FGSM-RS with its own step; unset: 1.25 eps,
/// as in Wong et al.
template <class Norm = norm::Linf> struct Fgsm {
  using norm = Norm;
  Rational eps = px(8);
  Start start = Start::clean;
  std::optional<Rational> step{};  ///< where the start is not clean; unset: 1.25 eps
  std::uint64_t seed = 0;          ///< as Pgd's

  int passes() const { return 1; }
  /// Radius and step size, as Pgd's: the step from a clean start is eps.
  void set(StepValues& v) const { pgd().set(v); }
  std::string describe() const { return pgd().describe(); }

  template <class T, class Device, class Loss>
  void operator()(std::type_identity_t<WhiteBoxRef<T, Device>> victim, Workspace<T, Device>& work,
                  std::type_identity_t<View<const T, Device>> x,
                  std::type_identity_t<View<T, Device>> adversarial, const Loss& loss,
                  Context ctx = {}, std::uint64_t draw = 0) const {
    pgd()(victim, work, x, adversarial, loss, ctx, draw);
  }

 private:
  Pgd<Norm> pgd() const {
    const Rational own = step.value_or(Rational{1.25 * eps.numerator, eps.denominator});
    return {.eps = eps,
            .step = start == Start::clean ? eps : own,
            .steps = 1,
            .start = start,
            .seed = seed};
  }
};

}  // namespace rnx::inline RNX_ISA::attack
