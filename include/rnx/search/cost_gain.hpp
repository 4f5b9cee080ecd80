// A term's weight that follows the cost of the network which is searched.
#pragma once

#include "rnx/search/cost.hpp"
#include "rnx/train/terms.hpp"

namespace rnx::inline RNX_ISA::search {

/// Multiplies the terms behind it on a pass by alpha beta ln(cost), cost: the multiply-accumulates
/// at the effective widths of the pass's draws (MaskCost): the objective of a search is alpha L
/// beta ln(cost) (paper 001, section 3.3 and its code; factor: {.alpha = 0.2, .beta = 0.5}). The
/// gradient of the cost, too, reaches the logits of the widths. It stands between the pass and its
/// terms; the cost is noted as "cost.<pass>".
/// Reads memory back, so a step with it cannot be recorded. Errors: those of MaskCost, UsageError
/// where the pass is not trained, NumericError where the factor is not positive (a cost of 1 or
/// less).
template <fixed_string Of> struct CostGain {
  CostFactor factor{};
  std::shared_ptr<void> cost{};  ///< a MaskCost, made when the objective is planned
  double before = 0;             ///< of this step: the value of terms on the pass that stand before
  static constexpr std::array<train::NameOf, 1> reads{train::pass_named(Of.text)};

  template <class T, class Device> void plan(train::Planner<T, Device>& p) {
    const std::string name = "cost gain of " + std::string(Of.c_str());
    const train::PassOptions& pass = p.options(Of.c_str());
    require<UsageError>(pass.trained,
                        [&] { return "objective: " + name + ": the pass must be trained"; });
    p.reads_pass(Of.c_str());
    cost = std::make_shared<MaskCost<T, Device>>(p.network(Of.c_str()).graph());
    p.fact(name + " alpha " + exact_text(factor.alpha) + " beta " + exact_text(factor.beta));
  }
  template <class T, class Device> void step(train::Stage<T, Device>& s) {
    if (s.count(Of.c_str()) == 0) return;
    static const std::string noted = "cost." + std::string(Of.c_str());
    const double now = costs<T, Device>().value(s.trace(Of.c_str()));
    const double gain = factor(1, now).value;
    require<NumericError>(gain > 0, [&] {
      return "objective: the gain of a cost of " + exact_text(now) + " is " + exact_text(gain) +
             ", expected a positive number";
    });
    s.note(noted, now);
    before = s.objective_value(Of.c_str());
    s.set_gain(Of.c_str(), gain);
  }
  template <class T, class Device> void close(train::Stage<T, Device>& s, std::string_view pass) {
    if (pass != Of.c_str()) return;
    auto& trace = s.trace(pass);
    const double value = (s.objective_value(pass) - before) / s.gain(pass);
    const double now = costs<T, Device>().value(trace);
    costs<T, Device>().add_gradient(trace, factor(value, now).d_cost);
  }

 private:
  template <class T, class Device> MaskCost<T, Device>& costs() {
    return *static_cast<MaskCost<T, Device>*>(cost.get());
  }
};

}  // namespace rnx::inline RNX_ISA::search
