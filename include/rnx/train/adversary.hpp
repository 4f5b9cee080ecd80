// Adversaries: items that make a view by an attack on the student.
#pragma once

#include "rnx/train/objective.hpp"

namespace rnx::inline RNX_ISA::train {

/// The attack climbs the cross-entropy of the labels.
struct ByCe {
  double smoothing = 0;
  static constexpr std::array<NameOf, 0> reads{};

  template <class P> void plan(P& planner, const Rows&) const {
    planner.labels();
    if (smoothing != 0) planner.fact("smoothing " + exact_text(smoothing));
  }
  template <class T, class Device> auto loss(Stage<T, Device>& s, int first, int) const {
    return loss::CrossEntropy{.labels = s.labels.data() + first, .smoothing = smoothing};
  }
};

/// The attack climbs the divergence from a pass's prediction: of a teacher, or of the student on
/// clean images.
template <fixed_string Target> struct ByKl {
  double temperature = 1;
  static constexpr std::array<NameOf, 1> reads{pass_named(Target.text)};

  template <class P> void plan(P& planner, const Rows& rows) const {
    planner.reads_target(rows, Target.c_str());
    planner.fact("by kl " + std::string(Target.c_str()) + " temperature " +
                 exact_text(temperature));
  }
  template <class T, class Device> auto loss(Stage<T, Device>& s, int first, int n) const {
    return loss::Kl<T, Device>{.teacher_logits = s.logits(Target.c_str(), first, n),
                               .temperature = temperature};
  }
};

namespace detail {
/// Folds the batch statistics of each of an attack's forwards in, then calls the loss.
template <class T, class Device, class Loss> struct Committing {
  NetworkBase<T, Device>& net;
  const Loss& loss;
  int commits;
  static constexpr bool coupled = loss::couples<Loss>;
  void operator()(Trace<T, Device>& trace, const loss::Call<T>& call) const {
    for (int k = 0; k < commits; ++k) net.commit_statistics(trace);
    loss(trace, call);
  }
};
}  // namespace detail

/// Makes the view Name from the view Of by an attack on the student. Its radius and step are values
/// that schedules may move: "<Name>.eps", "<Name>.step".
template <fixed_string Name, class Loss = ByCe, class Attack = attack::Pgd<>,
          fixed_string Of = "clean">
struct Adversary {
  Attack attack{};
  Loss loss{};
  Mode mode = Mode::eval;  ///< of the student under attack
  int path = 0;            ///< its batch-norm path
  Rows rows{};
  /// in train mode: how often each of its forwards folds its batch statistics in (the "fast" PGD of
  /// paper 002's code: 1)
  int commits = 0;
  static constexpr std::array<NameOf, 1> provides{view_named(Name.text)};
  static constexpr auto reads = [] {
    std::array<NameOf, 1 + Loss::reads.size()> names{};
    names[0] = view_named(Of.text);
    for (std::size_t k = 0; k < Loss::reads.size(); ++k) names[k + 1] = Loss::reads[k];
    return names;
  }();
  static_assert(!loss::couples<Loss>,
                "rnx: an attack needs a loss per sample; this one couples the samples of a batch");

  template <class T, class Device> void plan(Planner<T, Device>& p) {
    if constexpr (fits<T, Device>()) lay_out(p);
  }
  template <class T, class Device> void step(Stage<T, Device>& s) {
    if constexpr (fits<T, Device>()) make(s);
  }

 private:
  static constexpr bool has_members = attack::AttackMembers<Attack>;  // asserted without its notes
  static_assert(has_members, RNX_IS_NO_ATTACK);
  template <class T, class Device> static constexpr bool fits() {
    using Climbed = decltype(std::declval<Loss&>().loss(std::declval<Stage<T, Device>&>(), 0, 0));
    if constexpr (has_members)
      return attack::expect_attack<Attack, T, Device, Climbed>();
    else
      return false;
  }
  template <class T, class Device> void lay_out(Planner<T, Device>& p) {
    const std::string name = Name.c_str();
    require<UsageError>(commits >= 0 && (commits == 0 || mode == Mode::train),
                        "objective: an attack in eval mode has no statistics to commit");
    if constexpr (requires { attack.passes(); })
      require<UsageError>(attack.passes() < 1 << draw_bits_of_attack,
                          "objective: an attack in training has fewer than 4096 steps");
    p.check_path(name, path, p.student());
    p.reads_view(Of.c_str(), rows);
    p.view(name, rows);
    p.fact(name + " of " + Of.c_str() + " " + description() +
           (mode == Mode::eval ? " in eval mode" : " in train mode") + " path " +
           std::to_string(path) +
           (commits ? " commits " + std::to_string(commits) : std::string()));
    loss.plan(p, rows);
    p.attack(name, {.mode = mode,
                    .path = path,
                    .rows = rows,
                    .commits = commits,
                    .set = [this](StepValues& v) { attack.set(v); }});
    if constexpr (requires { attack.eps = Rational(1.0); })
      p.value(name + ".eps", attack.eps, [this](double v) { attack.eps = v; });
    if constexpr (requires { attack.step = Rational(1.0); })
      p.value(name + ".step", step_size(), [this](double v) { attack.step = Rational(v); });
  }
  template <class T, class Device> void make(Stage<T, Device>& s) {
    const int first = rows.first(s.now.n), n = rows.count(s.now.n);
    if (n == 0) return;
    const auto by = s.attacker(Name.c_str());
    Context ctx = s.context(mode, path, first);
    ctx.values = by.values;
    ctx.draw = by.draw;
    const auto x = s.view(Of.c_str()).samples(first, n);
    const auto moved = s.writable(Name.c_str()).samples(first, n);
    const auto climbed = loss.loss(s, first, n);
    const Passes before = by.work->passes();
    if (commits > 0)
      attack(s.net, *by.work, x, moved,
             detail::Committing<T, Device, decltype(climbed)>{s.net, climbed, commits}, ctx);
    else
      attack(s.net, *by.work, x, moved, climbed, ctx);
    if (mode == Mode::train) s.count_attack(by.work->passes() - before);
  }
  double step_size() const {
    StepValues v;
    attack.set(v);
    return v.step;
  }
  std::string description() const {
    if constexpr (requires { attack.describe(); })
      return attack.describe();
    else
      return "attack";
  }
};

}  // namespace rnx::inline RNX_ISA::train
