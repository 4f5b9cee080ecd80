// DeepFool (Moosavi-Dezfooli et al. 2016): the shortest steps to the nearest of the linearised
// boundaries, until the sample is misclassified.
#pragma once

#include <algorithm>

#include "rnx/attack/auto_pgd_targeted.hpp"
#include "rnx/attack/boundary.hpp"
#include "rnx/attack/deep_fool_row.hpp"

namespace rnx::inline RNX_ISA::attack {

namespace detail {

/// The classes of the 1st to last of `count` largest logits, in lists as RankedClasses has one.
template <class T, class Device> class LikelyClasses {
 public:
  LikelyClasses(const VictimRef<T, Device>& victim, Workspace<T, Device>& work,
                View<const T, Device> x, const Context& ctx, int count)
      : batch_(std::size_t(ctx.samples ? ctx.samples.batch : x.n)),
        classes_(batch_ * std::size_t(count)) {
    RankedClasses<T, Device> ranked(victim, work, x, ctx);
    for (int k = 0; k < count; ++k)
      memory<Device>::copy(classes_.data() + std::size_t(k) * batch_, ranked(k + 1),
                           batch_ * sizeof(std::int32_t), {ctx.stream});
  }
  const std::int32_t* operator()(int rank) const {
    return classes_.data() + std::size_t(rank - 1) * batch_;
  }

 private:
  std::size_t batch_;
  Buffer<std::int32_t, Device> classes_;
};

}  // namespace detail

/// DeepFool: every step goes to the nearest of the linearised boundaries to the most likely other
/// classes of the clean image; the perturbation is (1 + overshoot) times the sum of the steps,
/// clipped to [0, 1]. The result is the first misclassified iterate, or the clean image where that
/// is further than eps away. Of the loss that it is called with it takes the labels alone. A sample
/// that is misclassified leaves; each of the others takes a forward and candidates - 1 backwards of
/// it per step, and a forward that says whether it is.
template <class Norm = norm::L2> struct DeepFool {
  static_assert(Norm::kind != op::Norm::l1,
                "rnx: DeepFool has steps in Linf and L2; in L1 see Fab");
  using norm = Norm;
  Rational eps = Norm::kind == op::Norm::l2 ? px(128) : px(8);
  int steps = 50;
  int candidates = 10;  ///< classes, the label's among them; at most all
  double overshoot = 0.02;
  std::uint64_t seed = 0;  ///< as Pgd's

  void set(StepValues& v) const {
    v.eps = eps;
    v.step = eps;
  }
  std::string describe() const {
    return std::string("deepfool ") + Norm::name + " eps " + exact_text(eps) + " steps " +
           std::to_string(steps) + " candidates " + std::to_string(candidates) + " overshoot " +
           exact_text(overshoot) + " seed " + std::to_string(seed);
  }
  /// As Pgd's, in eval mode. Throws UsageError also for options out of range.
  template <class T, class Device, Labelled Loss>
  void operator()(std::type_identity_t<WhiteBoxRef<T, Device>> victim, Workspace<T, Device>& work,
                  std::type_identity_t<View<const T, Device>> x,
                  std::type_identity_t<View<T, Device>> adversarial, const Loss& loss,
                  Context ctx = {}, std::uint64_t draw = 0) const {
    require<UsageError>(steps > 0 && candidates > 1 && overshoot >= 0 && std::isfinite(overshoot),
                        "attack: DeepFool needs a step, 2 candidates and an overshoot of at least "
                        "0");
    const detail::Begun begun = detail::begin<Norm>(*this, work, x, adversarial, ctx, draw);
    detail::Standing<T, Device> standing(victim, work, x, adversarial, loss.labels, begun.ctx,
                                         true);
    standing.attack([&](const auto& part, const auto& to, const Context& at) {
      run_once<T, Device>(victim, work, part, to, loss.labels, at);
    });
  }

 private:
  template <class T, class Device>
  void run_once(const WhiteBoxRef<T, Device>& victim, Workspace<T, Device>& work,
                View<const T, Device> clean, View<T, Device> adversarial,
                const std::int32_t* labels, Context ctx) const {
    const Stream stream{ctx.stream};
    const Dims one{1, 1, 1};
    const View<T, Device> all = detail::rows(work, "deep fool x", clean.n),
                          total = detail::rows(work, "deep fool total", clean.n);
    T* fooled = detail::rows(work, "deep fool fooled", clean.n, one).data;
    const int count = std::min(candidates, victim.classes());
    const detail::LikelyClasses<T, Device> likely(victim, work, clean, ctx, count);
    run<Device>(stream, op::fill<T>{.count = total.count(), .value = T(0), .y = total.data});
    detail::Active<Device> active(ctx, clean.n);
    for (int k = 0; k < steps && !active.empty(); ++k) {
      View<T, Device> x = all.samples(0, active.size());
      image<T, Device>(clean, total, x, active.list(), stream);
      if (k > 0) {
        const Context at = active.context(ctx.draw);
        detail::judge<T, Device>(victim, work, View<const T, Device>(x), at, labels, fooled);
        active.remove(detail::flags_of<T, Device>(fooled, x.n, at));
        if (active.empty()) break;
        x = all.samples(0, active.size());
        image<T, Device>(clean, total, x, active.list(), stream);
      }
      step<T, Device>(victim, work, x, total, labels, likely, count, active,
                      active.context(++ctx.draw));
    }
    image<T, Device>(clean, total, adversarial, nullptr, stream);
    run<Device>(stream, op::clean_beyond<T>{.clean = clean,
                                            .adversarial = detail::map(adversarial),
                                            .values = ctx.values,
                                            .norm = Norm::kind});
  }
  template <class T, class Device>
  void image(View<const T, Device> clean, View<T, Device> total, View<T, Device> x,
             const std::int32_t* packed, Stream stream) const {
    run<Device>(stream, op::deep_fool_image<T>{.clean = clean,
                                               .total = detail::map(total),
                                               .x = detail::map(x),
                                               .overshoot = overshoot,
                                               .packed = packed});
  }
  /// Adds a step from x, whose rows are packed, to their totals.
  template <class T, class Device>
  void step(const WhiteBoxRef<T, Device>& victim, Workspace<T, Device>& work,
            View<const T, Device> x, View<T, Device> total, const std::int32_t* labels,
            const detail::LikelyClasses<T, Device>& likely, int count,
            const detail::Active<Device>& active, const Context& ctx) const {
    const View<T, Device> plane = detail::rows(work, "deep fool plane", x.n),
                          dx = work.gradient.view().samples(0, x.n);
    T* state = detail::rows(work, "deep fool state", x.n, Dims{op::fab_columns, 1, 1}).data;
    T* difference = detail::rows(work, "deep fool difference", x.n, Dims{1, 1, 1}).data;
    detail::nearest_boundary<T, Device>(
        victim, work, x, count - 1,
        [&](int k) { return loss::Margin{.labels = labels, .targets = likely(k + 2)}; }, ctx, dx,
        difference, {.plane = detail::map(plane), .state = state, .norm = Norm::kind});
    run<Device>({ctx.stream}, op::deep_fool_step<T>{.plane = detail::map(plane),
                                                    .state = state,
                                                    .total = detail::map(total),
                                                    .norm = Norm::kind,
                                                    .packed = active.list()});
  }
};

}  // namespace rnx::inline RNX_ISA::attack
