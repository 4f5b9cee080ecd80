// The fast adaptive boundary attack (Croce & Hein 2020b), untargeted (FAB) and towards one class
// after the other (FAB-T): it looks for the smallest perturbation, by projecting onto the
// linearised boundary within [0, 1].
#pragma once

#include <vector>

#include "rnx/attack/auto_pgd_targeted.hpp"
#include "rnx/attack/boundary.hpp"

namespace rnx::inline RNX_ISA::attack {

namespace detail {

/// Options of both attacks.
struct FabOptions {
  int steps;
  double most, eta, beta;
};

/// One run of FAB on a batch.
template <class Norm, class T, class Device> class FabRun {
 public:
  FabRun(const WhiteBoxRef<T, Device>& victim, Workspace<T, Device>& work, View<const T, Device> x,
         View<T, Device> adversarial, const Begun& begun, const FabOptions& options)
      : victim_(victim),
        work_(work),
        clean_(x),
        adversarial_(adversarial),
        begun_(begun),
        o_(options),
        x_(rows(work, "fab x", x.n)),
        plane_(rows(work, "fab plane", x.n)),
        gradient_(work.gradient.view().samples(0, x.n)),
        state_(rows(work, "fab state", x.n, Dims{op::fab_columns, 1, 1}).data),
        difference_(rows(work, "fab difference", x.n, Dims{1, 1, 1}).data),
        fooled_(rows(work, "fab fooled", x.n, Dims{1, 1, 1}).data) {}

  /// targets: lists of classes, one for each boundary that counts, in device memory; same_for_all:
  /// list c holds class c alone. number: tells the draws of runs apart; random: begins away from
  /// the image.
  void run(const std::int32_t* labels, const std::vector<const std::int32_t*>& targets,
           bool same_for_all, bool random, int number) {
    Context ctx = begun_.ctx;
    ctx.draw += std::uint64_t(number) << draw_bits_of_run;
    const Stream stream{ctx.stream};
    begin(ctx, random);
    for (int k = 0; k < o_.steps; ++k) {
      ++ctx.draw;
      nearest_boundary<T, Device>(
          victim_, work_, x_, int(targets.size()),
          [&](int c) { return loss::Margin{.labels = labels, .targets = targets[std::size_t(c)]}; },
          ctx, gradient_, difference_,
          {.plane = map(plane_),
           .state = state_,
           .norm = Norm::kind,
           .labels = same_for_all ? labels : nullptr});
      step(ctx, labels);
    }
    rnx::run<Device>(stream, op::clean_beyond<T>{.clean = clean_,
                                                 .adversarial = map(adversarial_),
                                                 .values = ctx.values,
                                                 .norm = Norm::kind});
  }

 private:
  /// A later run begins half the radius away.
  void begin(const Context& ctx, bool random) {
    const Stream stream{ctx.stream};
    rnx::run<Device>(
        stream,
        op::fab_begin<T>{.clean = clean_, .adversarial = map(adversarial_), .state = state_});
    if (random)
      rnx::run<Device>(stream, op::ball_start<T>{.clean = clean_,
                                                 .adversarial = map(x_),
                                                 .values = ctx.values,
                                                 .norm = Norm::kind,
                                                 .radius = 0.5,
                                                 .draw = ctx.draw,
                                                 .first_sample = ctx.first_sample,
                                                 .seed = begun_.seed,
                                                 .samples = ctx.samples.data});
    else
      rnx::run<Device>(stream, op::copy<T>{.from = clean_, .to = map(x_)});
  }
  void step(const Context& ctx, const std::int32_t* labels) {
    const Stream stream{ctx.stream};
    rnx::run<Device>(stream, op::fab_step<T>{.clean = clean_,
                                             .x = map(x_),
                                             .plane = map(plane_),
                                             .state = state_,
                                             .norm = Norm::kind,
                                             .eta = o_.eta,
                                             .most = o_.most});
    judge<T, Device>(victim_, work_, x_, ctx, labels, fooled_);
    rnx::run<Device>(stream, op::fab_keep<T>{.clean = clean_,
                                             .x = map(x_),
                                             .adversarial = map(adversarial_),
                                             .state = state_,
                                             .fooled = fooled_,
                                             .norm = Norm::kind,
                                             .beta = o_.beta});
  }

  WhiteBoxRef<T, Device> victim_;
  Workspace<T, Device>& work_;
  View<const T, Device> clean_;
  View<T, Device> adversarial_;
  Begun begun_;
  FabOptions o_;
  View<T, Device> x_, plane_, gradient_;
  T *state_, *difference_, *fooled_;
};

/// Throws UsageError unless there are steps and restarts and the numbers lie in their ranges.
inline void check_fab(const FabOptions& o, int restarts) {
  require<UsageError>(o.steps > 0 && restarts > 0,
                      "attack: FAB needs at least one step and restart");
  require<UsageError>(o.most >= 0 && o.most <= 1 && o.eta >= 1 && o.beta > 0 && o.beta <= 1,
                      "attack: FAB needs a bias and beta in [0, 1] and eta of at least 1");
}

}  // namespace detail

/// FAB: each step goes to the nearest of the linearised boundaries to all other classes, a gradient
/// for each of them from one forward. The result is the smallest perturbation that was found, or
/// the clean image where it is larger than eps. Of the loss that it is called with it takes the
/// labels alone.
template <class Norm = norm::Linf> struct Fab {
  using norm = Norm;
  Rational eps = px(8);
  int steps = 100;
  int restarts = 1;        ///< the first begins at the image, others half of eps away
  double bias = 0.1;       ///< towards the clean image: the most of its share in a step
  double eta = 1.05;       ///< how far beyond the boundary a step goes
  double beta = 0.9;       ///< of the perturbation that is left after a success
  std::uint64_t seed = 0;  ///< as Pgd's

  void set(StepValues& v) const {
    v.eps = eps;
    v.step = eps;
  }
  std::string describe() const {
    return std::string("fab ") + Norm::name + " eps " + exact_text(eps) + " steps " +
           std::to_string(steps) + " restarts " + std::to_string(restarts) + " bias " +
           exact_text(bias) + " eta " + exact_text(eta) + " beta " + exact_text(beta) + " seed " +
           std::to_string(seed);
  }
  /// As Pgd's, in eval mode. Throws UsageError also for options out of range.
  template <class T, class Device, Labelled Loss>
  void operator()(std::type_identity_t<WhiteBoxRef<T, Device>> victim, Workspace<T, Device>& work,
                  std::type_identity_t<View<const T, Device>> x,
                  std::type_identity_t<View<T, Device>> adversarial, const Loss& loss,
                  Context ctx = {}, std::uint64_t draw = 0) const {
    const detail::FabOptions o{steps, bias, eta, beta};
    detail::check_fab(o, restarts);
    const detail::Begun begun = detail::begin<Norm>(*this, work, x, adversarial, ctx, draw);
    detail::Standing<T, Device> standing(victim, work, x, adversarial, loss.labels, begun.ctx,
                                         true);
    std::vector<std::int32_t> classes;
    for (int c = 0; c < victim.classes(); ++c)
      classes.insert(classes.end(), std::size_t(standing.batch()), c);
    Buffer<std::int32_t, Device> lists(classes.size());
    lists.upload(classes);
    std::vector<const std::int32_t*> targets;
    for (int c = 0; c < victim.classes(); ++c)
      targets.push_back(lists.data() + std::size_t(c) * standing.batch());
    for (int r = 0; r < restarts; ++r)
      standing.attack([&](const auto& part, const auto& to, const Context& at) {
        detail::FabRun<Norm, T, Device>(victim, work, part, to, {at, begun.seed}, o)
            .run(loss.labels, targets, true, r > 0, r);
      });
  }
};

/// FAB-T: FAB's steps go to the boundary to one class, that of the 2nd, 3rd, ... largest logit of
/// the clean image after each other, on the samples that still stand.
template <class Norm = norm::Linf> struct FabTargeted {
  using norm = Norm;
  Rational eps = px(8);
  int steps = 100;
  int restarts = 1;  ///< for each target, as Fab's
  int targets = 9;
  double bias = 0.1, eta = 1.05, beta = 0.9;  ///< as Fab's
  std::uint64_t seed = 0;

  void set(StepValues& v) const {
    v.eps = eps;
    v.step = eps;
  }
  std::string describe() const {
    return Fab<Norm>{.eps = eps,
                     .steps = steps,
                     .restarts = restarts,
                     .bias = bias,
                     .eta = eta,
                     .beta = beta,
                     .seed = seed}
               .describe() +
           " targets " + std::to_string(targets);
  }
  /// As Fab's. Throws UsageError also for fewer than targets + 1 classes.
  template <class T, class Device, Labelled Loss>
  void operator()(std::type_identity_t<WhiteBoxRef<T, Device>> victim, Workspace<T, Device>& work,
                  std::type_identity_t<View<const T, Device>> x,
                  std::type_identity_t<View<T, Device>> adversarial, const Loss& loss,
                  Context ctx = {}, std::uint64_t draw = 0) const {
    const detail::FabOptions o{steps, bias, eta, beta};
    detail::check_fab(o, restarts);
    detail::check_targets("FAB-T", targets, victim.classes());
    const detail::Begun begun = detail::begin<Norm>(*this, work, x, adversarial, ctx, draw);
    detail::RankedClasses<T, Device> ranked(victim, work, x, begun.ctx);
    detail::Standing<T, Device> standing(victim, work, x, adversarial, loss.labels, begun.ctx,
                                         true);
    for (int t = 0; t < targets; ++t) {
      const std::int32_t* target = ranked(t + 2);
      for (int r = 0; r < restarts; ++r)
        standing.attack([&](const auto& part, const auto& to, const Context& at) {
          detail::FabRun<Norm, T, Device>(victim, work, part, to, {at, begun.seed}, o)
              .run(loss.labels, {target}, false, r > 0, t * restarts + r);
        });
    }
  }
};

}  // namespace rnx::inline RNX_ISA::attack
