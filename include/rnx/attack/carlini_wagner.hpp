// The attack of Carlini & Wagner 2017 in L2: the smallest perturbation, as a minimisation without
// bounds.
#pragma once

#include "rnx/attack/carlini_wagner_row.hpp"
#include "rnx/attack/standing.hpp"
#include "rnx/loss/margin.hpp"

namespace rnx::inline RNX_ISA::attack {

namespace detail {

/// Options of the attack.
struct CwOptions {
  int constants, steps;
  double rate, constant, confidence;
  bool abort_early;
};

/// The search on a batch. A sample depends on itself alone: it leaves a minimisation when its own
/// value no longer falls (the published code: when that of the batch does not).
template <class T, class Device> class CwRun {
 public:
  CwRun(const WhiteBoxRef<T, Device>& victim, Workspace<T, Device>& work, View<const T, Device> x,
        View<T, Device> adversarial, const Context& ctx, const CwOptions& options)
      : victim_(victim),
        work_(work),
        clean_(x),
        adversarial_(adversarial),
        ctx_(ctx),
        o_(options),
        x_(rows(work, "cw x", x.n)),
        w_(rows(work, "cw w", x.n)),
        mean_(rows(work, "cw mean", x.n)),
        square_(rows(work, "cw square", x.n)),
        state_(rows(work, "cw state", x.n, Dims{op::cw_columns, 1, 1}).data),
        margin_(rows(work, "cw margin", x.n, Dims{1, 1, 1}).data),
        fooled_(rows(work, "cw fooled", x.n, Dims{1, 1, 1}).data) {}

  void run(const std::int32_t* labels) {
    rnx::run<Device>(stream(), op::cw_begin<T>{.clean = clean_,
                                               .adversarial = map(adversarial_),
                                               .state = state_,
                                               .constant = o_.constant});
    for (int c = 0; c < o_.constants; ++c) {
      rnx::run<Device>(stream(),
                       op::cw_restart<T>{.clean = clean_,
                                         .w = map(w_),
                                         .mean = map(mean_),
                                         .square = map(square_),
                                         .state = state_,
                                         .next = c > 0,
                                         .last = c == o_.constants - 1 && o_.constants >= 10});
      minimise(labels);
    }
    rnx::run<Device>(stream(), op::clean_beyond<T>{.clean = clean_,
                                                   .adversarial = map(adversarial_),
                                                   .values = ctx_.values,
                                                   .norm = op::Norm::l2});
  }

 private:
  Stream stream() const { return {ctx_.stream}; }
  void minimise(const std::int32_t* labels) {
    const loss::Margin margin{.labels = labels, .confidence = o_.confidence};
    Active<Device> active(ctx_, clean_.n);
    const int tenth = (o_.steps + 9) / 10;
    for (int k = 0; k < o_.steps && !active.empty(); ++k) {
      const View<T, Device> x = x_.samples(0, active.size()),
                            dx = work_.gradient.view().samples(0, active.size());
      rnx::run<Device>(stream(),
                       op::cw_image<T>{.w = map(w_), .x = map(x), .packed = active.list()});
      judged_gradient(victim_, work_, View<const T, Device>(x), margin, active.context(++ctx_.draw),
                      dx, margin_, fooled_);
      const bool check = o_.abort_early && k % tenth == 0;
      rnx::run<Device>(stream(), op::cw_step<T>{.x = map(x),
                                                .gradient = map(dx),
                                                .margin = margin_,
                                                .fooled = fooled_,
                                                .clean = clean_,
                                                .w = map(w_),
                                                .mean = map(mean_),
                                                .square = map(square_),
                                                .adversarial = map(adversarial_),
                                                .state = state_,
                                                .confidence = o_.confidence,
                                                .rate = o_.rate,
                                                .step = k + 1,
                                                .check = check,
                                                .packed = active.list()});
      if (check && k > 0) active.remove(stopped(active));
    }
  }
  std::vector<bool> stopped(const Active<Device>& active) const {
    const std::size_t columns = op::cw_columns;
    std::vector<T> state(std::size_t(clean_.n) * columns);
    memory<Device>::download(state.data(), state_, state.size() * sizeof(T), stream());
    std::vector<bool> found;
    for (const std::int32_t row : active.rows())
      found.push_back(state[std::size_t(row) * columns + op::cw_stopped] != 0);
    return found;
  }

  WhiteBoxRef<T, Device> victim_;
  Workspace<T, Device>& work_;
  View<const T, Device> clean_;
  View<T, Device> adversarial_;
  Context ctx_;
  CwOptions o_;
  View<T, Device> x_, w_, mean_, square_;
  T *state_, *margin_, *fooled_;
};

}  // namespace detail

/// C&W in L2: Adam minimises  |x' - x|^2 + c max(confidence - margin(x'), 0),  x' = (tanh(w) + 1) /
/// 2, which no bound of [0, 1] stops; the constant c is searched for, up by factors of 10 and then
/// between the largest that finds nothing and the smallest that finds something. The result is the
/// smallest perturbation that was found, or the clean image where it is larger than eps. Of the
/// loss that it is called with it takes the labels alone. Up to constants * steps gradients a
/// sample; those that are misclassified already cost none.
struct CarliniWagner {
  using norm = rnx::norm::L2;
  Rational eps = px(128);
  int constants = 9;   ///< that are tried; of 10 or more the last is the smallest that found one
  int steps = 1000;    ///< of Adam for each
  double rate = 0.01;  ///< of Adam, in the space of w
  double constant = 1e-3;   ///< the first
  double confidence = 0;    ///< by which the other logit must be larger
  bool abort_early = true;  ///< after tenths of the steps, where what is minimised stands still
  std::uint64_t seed = 0;   ///< as Pgd's

  void set(StepValues& v) const {
    v.eps = eps;
    v.step = eps;
  }
  std::string describe() const {
    return "cw-l2 eps " + exact_text(eps) + " constants " + std::to_string(constants) + " steps " +
           std::to_string(steps) + " rate " + exact_text(rate) + " constant " +
           exact_text(constant) + " confidence " + exact_text(confidence) +
           (abort_early ? " abort early" : "") + " seed " + std::to_string(seed);
  }
  /// As Pgd's, in eval mode. Throws UsageError also for options out of range.
  template <class T, class Device, Labelled Loss>
  void operator()(std::type_identity_t<WhiteBoxRef<T, Device>> victim, Workspace<T, Device>& work,
                  std::type_identity_t<View<const T, Device>> x,
                  std::type_identity_t<View<T, Device>> adversarial, const Loss& loss,
                  Context ctx = {}, std::uint64_t draw = 0) const {
    const auto positive = [](double v) { return v > 0 && std::isfinite(v); };
    require<UsageError>(
        constants > 0 && steps > 0 && positive(rate) && positive(constant),
        "attack: C&W needs a step, a constant to try, and a rate and first constant "
        "above 0");
    require<UsageError>(confidence >= 0 && std::isfinite(confidence),
                        "attack: the confidence of C&W must not be negative");
    const detail::Begun begun = detail::begin<norm>(*this, work, x, adversarial, ctx, draw);
    detail::Standing<T, Device> standing(victim, work, x, adversarial, loss.labels, begun.ctx,
                                         true);
    standing.attack([&](const auto& part, const auto& to, const Context& at) {
      detail::CwRun<T, Device>(victim, work, part, to, at,
                               {.constants = constants,
                                .steps = steps,
                                .rate = rate,
                                .constant = constant,
                                .confidence = confidence,
                                .abort_early = abort_early})
          .run(loss.labels);
    });
  }
};

}  // namespace rnx::inline RNX_ISA::attack
