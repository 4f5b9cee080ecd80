// Iterated steps beside Pgd: the best iterate of several runs, momentum, and steps that add up to
// the radius.
#pragma once

#include <optional>

#include "rnx/attack/pgd.hpp"
#include "rnx/attack/standing.hpp"

namespace rnx::inline RNX_ISA::attack {

/// BIM (Kurakin et al. 2017): from the clean image, steps of eps / steps.
template <class Norm = norm::Linf> Pgd<Norm> bim(Rational eps, int steps) {
  return {.eps = eps,
          .step = Rational{eps.numerator / std::max(steps, 1), eps.denominator},
          .steps = steps,
          .start = Start::clean};
}

/// PGD that returns of each sample the iterate with the largest loss, start and end included; of
/// several restarts the first that is misclassified, where the loss has labels and gathers, and
/// otherwise the one with the largest loss. Steps follow eps as Pgd's.
template <class Norm = norm::Linf> struct BestPgd {
  using norm = Norm;
  Rational eps = px(8);
  std::optional<Rational> step{};
  int steps = 20;
  int restarts = 1;
  int eot = 1;  ///< gradients, each of another draw, of which each step takes the mean
  Start start = Start::random;
  std::uint64_t seed = 0;

  int passes() const { return restarts * (steps + 1) * eot; }
  void set(StepValues& v) const { pgd().set(v); }
  std::string describe() const {
    return "best of " + std::to_string(restarts) + " eot " + std::to_string(eot) + " " +
           pgd().describe();
  }
  /// As Pgd's. Throws UsageError also for options out of range.
  template <class T, class Device, class Loss>
  void operator()(std::type_identity_t<WhiteBoxRef<T, Device>> victim, Workspace<T, Device>& work,
                  std::type_identity_t<View<const T, Device>> x,
                  std::type_identity_t<View<T, Device>> adversarial, const Loss& loss,
                  Context ctx = {}, std::uint64_t draw = 0) const {
    require<UsageError>(steps >= 0 && restarts > 0 && eot > 0,
                        "attack: PGD needs at least one restart and draw");
    const detail::Begun begun = detail::begin<Norm>(*this, work, x, adversarial, ctx, draw);
    const auto restart = [&](int r, const auto& part, const auto& to, Context at, bool first) {
      at.draw += std::uint64_t(r) << draw_bits_of_run;
      run_once<T, Device>(victim, work, part, to, loss, at, begun.seed, first);
    };
    if (!labels_of(loss) || !loss::gathers<Loss> || ctx.mode == Mode::train) {
      for (int r = 0; r < restarts; ++r) restart(r, x, adversarial, begun.ctx, r == 0);
      return;
    }
    detail::Standing<T, Device> standing(victim, work, x, adversarial, labels_of(loss), begun.ctx);
    for (int r = 0; r < restarts; ++r)
      standing.attack([&](const auto& part, const auto& to, const Context& at) {
        restart(r, part, to, at, true);
      });
  }

 private:
  Pgd<Norm> pgd() const {
    return {.eps = eps, .step = step, .steps = steps, .start = start, .seed = seed};
  }
  template <class T, class Device, class Loss>
  void run_once(const WhiteBoxRef<T, Device>& victim, Workspace<T, Device>& work,
                View<const T, Device> x, View<T, Device> best, const Loss& loss, Context ctx,
                std::uint64_t added_seed, bool first) const {
    const Dims one{1, 1, 1};
    const View<T, Device> at = detail::rows(work, "pgd x", x.n),
                          dx = work.gradient.view().samples(0, x.n);
    T* value = detail::rows(work, "pgd loss", x.n, one).data;
    T* flags = detail::rows(work, "pgd fooled", x.n, one).data;
    T* largest = detail::rows(work, "pgd largest", x.n, one).data;
    const Stream stream{ctx.stream};
    detail::start_at<Norm, T, Device>(start, x, at, ctx, added_seed);
    for (int k = 0; k <= steps; ++k) {
      detail::expected_gradient<T, Device>(victim, work, at, loss, ctx, eot, dx, value, flags);
      if (first && k == 0) {
        rnx::run<Device>(stream, op::copy<T>{.from = detail::map(at), .to = detail::map(best)});
        memory<Device>::copy(largest, value, std::size_t(x.n) * sizeof(T), stream);
      } else {
        rnx::run<Device>(stream, op::keep_larger<T>{.other_value = value,
                                                    .value = largest,
                                                    .other = detail::map(at),
                                                    .kept = detail::map(best)});
      }
      if (k < steps) detail::step_along<Norm, T, Device>(dx, x, at, ctx);
    }
  }
};

/// MI-FGSM (Dong et al. 2018, algorithm 1), in L2 MI-FGM: steps along the accumulated direction, of
/// eps / steps each where nothing else is said. The last iterate.
template <class Norm = norm::Linf> struct MiFgsm {
  using norm = Norm;
  Rational eps = px(8);
  std::optional<Rational> step{};
  int steps = 10;
  double decay = 1;
  int eot = 1;
  Start start = Start::clean;
  std::uint64_t seed = 0;

  int passes() const { return steps * eot; }
  void set(StepValues& v) const {
    v.eps = eps;
    v.step = step.value_or(Rational{eps.numerator / std::max(steps, 1), eps.denominator});
  }
  std::string describe() const {
    StepValues v;
    set(v);
    return std::string("mi-fgsm ") + Norm::name + " eps " + exact_text(eps) + " step " +
           exact_text(v.step) + " steps " + std::to_string(steps) + " decay " + exact_text(decay) +
           " eot " + std::to_string(eot) + " start " + text_of(start) + " seed " +
           std::to_string(seed);
  }
  /// As Pgd's. Throws UsageError also for options out of range.
  template <class T, class Device, class Loss>
  void operator()(std::type_identity_t<WhiteBoxRef<T, Device>> victim, Workspace<T, Device>& work,
                  std::type_identity_t<View<const T, Device>> x,
                  std::type_identity_t<View<T, Device>> adversarial, const Loss& loss,
                  Context ctx = {}, std::uint64_t draw = 0) const {
    require<UsageError>(steps >= 0 && eot > 0 && decay >= 0 && std::isfinite(decay),
                        "attack: MI-FGSM needs a draw and a decay that is not negative");
    detail::Begun begun = detail::begin<Norm>(*this, work, x, adversarial, ctx, draw);
    const Dims one{1, 1, 1};
    const View<T, Device> momentum = detail::rows(work, "mi-fgsm momentum", x.n),
                          dx = work.gradient.view().samples(0, x.n);
    T* value = detail::rows(work, "mi-fgsm loss", x.n, one).data;
    T* flags = detail::rows(work, "mi-fgsm fooled", x.n, one).data;
    const Stream stream{begun.ctx.stream};
    run<Device>(stream, op::fill<T>{momentum.count(), T(0), momentum.data});
    detail::start_at<Norm, T, Device>(start, x, adversarial, begun.ctx, begun.seed);
    for (int k = 0; k < steps; ++k) {
      detail::expected_gradient<T, Device>(victim, work, adversarial, loss, begun.ctx, eot, dx,
                                           value, flags);
      run<Device>(stream, op::accumulate_direction<T>{.gradient = detail::map(dx),
                                                      .momentum = detail::map(momentum),
                                                      .decay = decay});
      detail::step_along<Norm, T, Device>(momentum, x, adversarial, begun.ctx);
    }
  }
};

}  // namespace rnx::inline RNX_ISA::attack
