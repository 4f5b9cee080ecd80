// AutoPGD on the targeted difference of logits ratio, one target after the other (Croce & Hein
// 2020, section 5).
#pragma once

#include "rnx/attack/auto_pgd.hpp"

namespace rnx::inline RNX_ISA::attack {

namespace detail {

/// Classes in the order of a victim's first output, in device memory, for samples of a batch.
template <class T, class Device> class RankedClasses {
 public:
  RankedClasses(const VictimRef<T, Device>& victim, Workspace<T, Device>& work,
                View<const T, Device> x, const Context& ctx)
      : ctx_(ctx),
        logits_(x.n, Dims{victim.classes(), 1, 1}),
        classes_(std::size_t(ctx.samples ? ctx.samples.batch : x.n)) {
    run<Device>({ctx.stream},
                op::copy<T>{.from = work.predictor(victim)(x, ctx), .to = map(logits_.view())});
  }
  /// Of every sample the class with the logit of that rank, 1 for the largest; valid until the next
  /// call.
  const std::int32_t* operator()(int rank) {
    run<Device>({ctx_.stream}, op::ranked_class<T>{.logits = map(std::as_const(logits_).view()),
                                                   .classes = classes_.data(),
                                                   .rank = rank,
                                                   .samples = ctx_.samples.data});
    return classes_.data();
  }

 private:
  Context ctx_;
  Tensor<T, Device> logits_;
  Buffer<std::int32_t, Device> classes_;
};

/// Throws UsageError unless there are that many classes beside the label.
inline void check_targets(const char* name, int targets, int classes) {
  require<UsageError>(targets >= 1 && targets < classes, [&] {
    return std::string("attack: ") + name + " with " + std::to_string(targets) +
           " targets needs at least " + std::to_string(std::max(targets, 1) + 1) +
           " classes, found " + std::to_string(classes);
  });
}

}  // namespace detail

/// AutoPGD with loss::TargetedDlr towards the classes with the 2nd, 3rd, ... largest logit of the
/// clean image, on the samples that still stand. Of the loss that it is called with it takes the
/// labels alone.
template <class Norm = norm::Linf> struct AutoPgdTargeted {
  using norm = Norm;
  Rational eps = px(8);
  int steps = 100;
  int restarts = 1;  ///< for each target
  int targets = 9;
  int eot = 1;
  AutoPgdRule rule = AutoPgdRule::code;
  double rho = 0.75;
  bool falling = false;
  std::uint64_t seed = 0;

  int passes() const { return targets * of_one().passes(); }
  void set(StepValues& v) const { of_one().set(v); }
  std::string describe() const {
    return of_one().describe() + " targets " + std::to_string(targets);
  }
  /// As AutoPgd's, in eval mode. Throws UsageError for fewer than 4 classes, and fewer than targets
  /// + 1.
  template <class T, class Device, Labelled Loss>
  void operator()(std::type_identity_t<WhiteBoxRef<T, Device>> victim, Workspace<T, Device>& work,
                  std::type_identity_t<View<const T, Device>> x,
                  std::type_identity_t<View<T, Device>> adversarial, const Loss& loss,
                  Context ctx = {}, std::uint64_t draw = 0) const {
    detail::check_auto_pgd(steps, restarts, eot, rho);
    detail::check_targets("targeted AutoPGD", targets, victim.classes());
    require<UsageError>(victim.classes() >= 4, [&] {
      return "attack: targeted AutoPGD needs at least 4 classes, found " +
             std::to_string(victim.classes());
    });
    const detail::Begun begun = detail::begin<Norm>(*this, work, x, adversarial, ctx, draw);
    detail::RankedClasses<T, Device> ranked(victim, work, x, begun.ctx);
    detail::Standing<T, Device> standing(victim, work, x, adversarial, loss.labels, begun.ctx);
    for (int t = 0; t < targets; ++t) {
      const loss::TargetedDlr dlr{.labels = loss.labels, .targets = ranked(t + 2)};
      for (int r = 0; r < restarts; ++r)
        standing.attack([&](const auto& part, const auto& to, const Context& c) {
          detail::AutoPgdRuns<Norm, T, Device>(victim, work, part, {c, begun.seed},
                                               {.eot = eot, .rho = rho, .rule = rule})
              .run(dlr, t * restarts + r, steps, falling, to);
        });
    }
  }

 private:
  AutoPgd<Norm> of_one() const {
    return {.eps = eps,
            .steps = steps,
            .restarts = restarts,
            .eot = eot,
            .rule = rule,
            .rho = rho,
            .falling = falling,
            .seed = seed};
  }
};

}  // namespace rnx::inline RNX_ISA::attack
