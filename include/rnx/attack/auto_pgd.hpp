// AutoPGD (Croce & Hein 2020, algorithm 1) in Linf and L2, and in L1 (Croce & Hein 2021, section
// 4.2): PGD with momentum whose step sizes follow the progress of each sample.
#pragma once

#include <cmath>
#include <vector>

#include "rnx/attack/standing.hpp"
#include "rnx/loss/margin.hpp"

namespace rnx::inline RNX_ISA::attack {

/// Which published AutoPGD.
///   code   of the authors' code, which RobustBench's numbers come from: step sizes are looked at
///          after 22, 41, 57, ... of 100 iterations, one that rose in at most rho of them is
///          halved, and the first window's first loss is compared with 0
///   paper  its algorithm 1: checkpoints ceil(p(j) n), fewer than rho, the start's loss
///   art    of the Adversarial Robustness Toolbox: an iteration that finds a new best one counts as
///          progress, a step back takes the iterate before along, the last iterate is judged
/// In L1 all are as `code`.
using op::AutoPgdRule;

inline std::string text_of(AutoPgdRule rule) {
  return rule == AutoPgdRule::code ? "code" : rule == AutoPgdRule::paper ? "paper" : "art";
}

namespace detail {

/// For each iteration: 0, or how many there were since the last checkpoint when it is one.
inline std::vector<int> auto_pgd_windows(int steps, op::Norm norm, AutoPgdRule rule) {
  std::vector<int> windows(std::size_t(std::max(steps, 0)), 0);
  if (rule == AutoPgdRule::code || norm == op::Norm::l1) {
    const bool l1 = norm == op::Norm::l1;
    const int shorter = l1 ? 0 : std::max(int(0.03 * steps), 1),
              least = l1 ? 1 : std::max(int(0.06 * steps), 1);
    int window = std::max(int((l1 ? 0.04 : 0.22) * steps), 1);
    for (int at = window; at <= steps; at += window) {
      windows[std::size_t(at - 1)] = window;
      if (!l1) window = std::max(window - shorter, least);
    }
    return windows;
  }
  const bool art = rule == AutoPgdRule::art;
  double before = 0, share = 0.22;  // ART sums these; the paper's are hundredths
  int last = 0;
  for (int hundredths = 22, length = 22; art ? share <= 1 : hundredths <= 100;) {
    const int at = int(art ? std::ceil(share * steps) : (hundredths * long(steps) + 99) / 100);
    if (at > last && at < steps) windows[std::size_t(at)] = at - last;
    last = std::max(at, last);
    length = std::max(length - 3, 6);
    hundredths += length;
    const double next = share + std::max(share - before - 0.03, 0.06);
    before = share;
    share = next;
  }
  return windows;
}

/// Memory and state of AutoPGD's runs on one batch.
template <class Norm, class T, class Device> class AutoPgdRuns {
 public:
  struct Options {
    int eot;
    double rho;
    AutoPgdRule rule;
  };
  AutoPgdRuns(const WhiteBoxRef<T, Device>& victim, Workspace<T, Device>& work,
              View<const T, Device> x, const Begun& begun, const Options& options)
      : victim_(victim),
        work_(work),
        clean_(x),
        begun_(begun),
        o_(options),
        x_(rows(work, "apgd x", x.n)),
        previous_(rows(work, "apgd previous", x.n)),
        best_(rows(work, "apgd best", x.n)),
        best_gradient_(rows(work, "apgd best gradient", x.n)),
        adversarial_(rows(work, "apgd adversarial", x.n)),
        gradient_(work.gradient.view().samples(0, x.n)),
        before_best_(o_.rule == AutoPgdRule::art ? rows(work, "apgd before best", x.n)
                                                 : View<T, Device>{}),
        state_(rows(work, "apgd state", x.n, Dims{op::apgd_columns, 1, 1}).data),
        loss_(rows(work, "apgd loss", x.n, Dims{1, 1, 1}).data),
        fooled_(rows(work, "apgd fooled", x.n, Dims{1, 1, 1}).data) {}

  /// One run from a random start, whose number tells its draws apart; `falling`: in L1 on balls of
  /// 3, 2 and 1 times the radius, for 30, 30 and 40 % of the steps.
  template <class Loss>
  void run(const Loss& loss, int number, int steps, bool falling, View<T, Device> to) {
    begin_run(number);
    const bool l1 = Norm::kind == op::Norm::l1;
    start(l1                            ? op::BallStart::projected
          : o_.rule == AutoPgdRule::art ? op::BallStart::ball
                                        : op::BallStart::sphere,
          falling ? 3 : 1);
    if (!falling) {
      climb(loss, 1, steps, true);
    } else {
      const int part = int(std::ceil(0.3 * steps));
      for (int k = 0; k < 3; ++k) {
        if (k > 0) rnx::run<Device>(stream(), op::copy<T>{.from = map(best_), .to = map(x_)});
        start(op::BallStart::nearest, 3 - k);
        climb(loss, 3 - k, k < 2 ? part : steps - 2 * part, false);
      }
    }
    collect(loss, to);
  }
  /// One run from the images in `to`.
  template <class Loss> void run_from(const Loss& loss, int steps, View<T, Device> to) {
    begin_run(0);
    rnx::run<Device>(stream(), op::copy<T>{.from = map(to), .to = map(x_)});
    climb(loss, 1, steps, false);
    collect(loss, to);
  }

 private:
  Stream stream() const { return {begun_.ctx.stream}; }
  void begin_run(int number) {
    ctx_ = begun_.ctx;
    ctx_.draw += std::uint64_t(number) << draw_bits_of_run;
  }
  void start(op::BallStart kind, double radius) {
    rnx::run<Device>(stream(), op::ball_start<T>{.clean = clean_,
                                                 .adversarial = map(x_),
                                                 .values = ctx_.values,
                                                 .norm = Norm::kind,
                                                 .kind = kind,
                                                 .radius = radius,
                                                 .draw = ctx_.draw,
                                                 .first_sample = ctx_.first_sample,
                                                 .seed = begun_.seed,
                                                 .samples = ctx_.samples.data});
  }
  template <class Loss> void gradient(const Loss& loss) {
    expected_gradient(victim_, work_, View<const T, Device>(x_), loss, ctx_, o_.eot, gradient_,
                      loss_, fooled_);
  }
  template <class Loss> void climb(const Loss& loss, double radius, int steps, bool random_start) {
    rnx::run<Device>(stream(), op::copy<T>{.from = map(x_), .to = map(previous_)});
    const std::vector<int> windows = auto_pgd_windows(steps, Norm::kind, o_.rule);
    op::auto_pgd_track<T> track{
        .clean = clean_,
        .x = map(x_),
        .previous = map(previous_),
        .gradient = map(gradient_),
        .best = map(best_),
        .best_gradient = map(best_gradient_),
        .before_best = map(before_best_),
        .adversarial = map(adversarial_),
        .state = state_,
        .loss = loss_,
        .fooled = labels_of(loss) && o_.rule != AutoPgdRule::art ? fooled_ : nullptr,
        .values = ctx_.values,
        .norm = Norm::kind,
        .radius = radius,
        .rho = o_.rho,
        .rule = o_.rule,
        .begin = true,
        .random_start = random_start};
    gradient(loss);
    rnx::run<Device>(stream(), track);
    track.begin = false;
    for (int k = 0; k < steps; ++k) {
      rnx::run<Device>(stream(), op::auto_pgd_step<T>{.clean = clean_,
                                                      .gradient = map(gradient_),
                                                      .x = map(x_),
                                                      .previous = map(previous_),
                                                      .state = state_,
                                                      .values = ctx_.values,
                                                      .norm = Norm::kind,
                                                      .radius = radius,
                                                      .first = k == 0});
      gradient(loss);
      track.window = windows[std::size_t(k)];
      track.first = k == 0;
      rnx::run<Device>(stream(), track);
    }
  }
  template <class Loss> void collect(const Loss& loss, View<T, Device> to) {
    op::auto_pgd_collect<T> a{.best = map(best_),
                              .adversarial = map(adversarial_),
                              .to = map(to),
                              .state = state_,
                              .first = runs_ == 0};
    if (o_.rule == AutoPgdRule::art && labels_of(loss)) {  // judged by where it stands in the end
      judge<T, Device>(victim_, work_, View<const T, Device>(x_), ctx_, labels_of(loss), fooled_);
      a.adversarial = map(x_);
      a.fooled = fooled_;
    }
    rnx::run<Device>(stream(), a);
    ++runs_;
  }

  WhiteBoxRef<T, Device> victim_;
  Workspace<T, Device>& work_;
  View<const T, Device> clean_;
  Begun begun_;
  Options o_;
  View<T, Device> x_, previous_, best_, best_gradient_, adversarial_, gradient_, before_best_;
  T *state_, *loss_, *fooled_;
  Context ctx_{};
  int runs_ = 0;
};

/// Throws UsageError unless steps, restarts and draws are positive and rho is in [0, 1].
inline void check_auto_pgd(int steps, int restarts, int eot, double rho) {
  require<UsageError>(steps > 0 && restarts > 0 && eot > 0,
                      "attack: AutoPGD needs at least one step, restart and draw");
  require<UsageError>(rho >= 0 && rho <= 1, [&] {
    return "attack: AutoPGD's rho must be in [0, 1], found " + fixed_text(rho, 6);
  });
}

}  // namespace detail

/// AutoPGD climbs any per-sample loss: loss::CrossEntropy, loss::Dlr, ... A run begins on the
/// sphere of radius eps (L1: at a projected normal point) with steps of 2 eps (L1: eps). Its result
/// is the last iterate that is misclassified, where the loss has labels, and else the one with the
/// largest loss; a sample that is fooled is left as it is by later restarts, which do not
/// spend anything on it where the loss gathers (loss/call.hpp).
template <class Norm = norm::Linf> struct AutoPgd {
  using norm = Norm;
  Rational eps = px(8);
  int steps = 100;
  int restarts = 1;
  int eot = 1;  ///< gradients, each of another draw, of which each step takes the mean
  AutoPgdRule rule = AutoPgdRule::code;
  double rho = 0.75;       ///< share of iterations that must be progress
  bool falling = false;    ///< L1: begin in balls of 3 and 2 eps (Croce & Hein 2021, section 4.2)
  std::uint64_t seed = 0;  ///< as Pgd's

  int passes() const { return restarts * (steps + (falling ? 3 : 1)) * eot; }
  void set(StepValues& v) const {
    v.eps = eps;
    v.step = Rational{2 * eps.numerator, eps.denominator};
  }
  std::string describe() const {
    return std::string("apgd ") + Norm::name + " eps " + exact_text(eps) + " steps " +
           std::to_string(steps) + " restarts " + std::to_string(restarts) + " eot " +
           std::to_string(eot) + " rule " + text_of(rule) + " rho " + exact_text(rho) +
           (falling ? " falling" : "") + " seed " + std::to_string(seed);
  }

  /// As Pgd's. Throws UsageError also for options out of range.
  template <class T, class Device, class Loss>
  void operator()(std::type_identity_t<WhiteBoxRef<T, Device>> victim, Workspace<T, Device>& work,
                  std::type_identity_t<View<const T, Device>> x,
                  std::type_identity_t<View<T, Device>> adversarial, const Loss& loss,
                  Context ctx = {}, std::uint64_t draw = 0) const {
    const detail::Begun begun = begin<T, Device>(work, x, adversarial, ctx, draw);
    if (!labels_of(loss) || !loss::gathers<Loss> || ctx.mode == Mode::train) {
      auto all = runs<T, Device>(victim, work, x, begun);
      for (int r = 0; r < restarts; ++r) all.run(loss, r, steps, falling, adversarial);
      return;
    }
    detail::Standing<T, Device> standing(victim, work, x, adversarial, labels_of(loss), begun.ctx);
    for (int r = 0; r < restarts; ++r)
      standing.attack([&](const auto& part, const auto& to, const Context& c) {
        runs<T, Device>(victim, work, part, {c, begun.seed}).run(loss, r, steps, falling, to);
      });
  }
  /// One run that begins at the images in `adversarial`, which must lie in the ball.
  template <class T, class Device, class Loss>
  void from(std::type_identity_t<WhiteBoxRef<T, Device>> victim, Workspace<T, Device>& work,
            std::type_identity_t<View<const T, Device>> x,
            std::type_identity_t<View<T, Device>> adversarial, const Loss& loss, Context ctx = {},
            std::uint64_t draw = 0) const {
    runs<T, Device>(victim, work, x, begin<T, Device>(work, x, adversarial, ctx, draw))
        .run_from(loss, steps, adversarial);
  }

 private:
  template <class T, class Device>
  detail::Begun begin(Workspace<T, Device>& work, View<const T, Device> x,
                      View<T, Device> adversarial, const Context& ctx, std::uint64_t draw) const {
    require<UsageError>(rule != AutoPgdRule::art || ctx.mode == Mode::eval,
                        "attack: AutoPGD's rule art judges in eval mode alone");
    detail::check_auto_pgd(steps, restarts, eot, rho);
    require<UsageError>(!falling || Norm::kind == op::Norm::l1,
                        "attack: AutoPGD's radius falls in L1 alone");
    return detail::begin<Norm>(*this, work, x, adversarial, ctx, draw);
  }
  template <class T, class Device>
  detail::AutoPgdRuns<Norm, T, Device> runs(const WhiteBoxRef<T, Device>& victim,
                                            Workspace<T, Device>& work, View<const T, Device> x,
                                            const detail::Begun& begun) const {
    return {victim, work, x, begun, {.eot = eot, .rho = rho, .rule = rule}};
  }
};

}  // namespace rnx::inline RNX_ISA::attack
