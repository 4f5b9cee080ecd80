// Terms: weighted losses on passes. What a term compares is its type; weights, temperatures and the
// like are values that schedules may move, called "<term>.<pass>.<value>".
#pragma once

#include "rnx/train/adversary.hpp"
#include "rnx/train/passes.hpp"

namespace rnx::inline RNX_ISA::train {

/// weight mean(CE(z / temperature, labels)), with label smoothing.
template <fixed_string Of> struct Ce {
  double weight = 1, temperature = 1, smoothing = 0;
  static constexpr std::array<NameOf, 1> reads{pass_named(Of.text)};

  template <class T, class Device> void plan(Planner<T, Device>& p) {
    const std::string name = "ce." + std::string(Of.c_str());
    p.labels();
    p.reads_pass(Of.c_str());
    p.value(name + ".weight", weight);
    p.value(name + ".temperature", temperature);
    if (smoothing != 0) p.fact(name + ".smoothing " + exact_text(smoothing));
  }
  template <class T, class Device> void step(Stage<T, Device>& s) {
    static const std::string name = "ce." + std::string(Of.c_str());
    s.descend({.pass = Of.c_str(), .name = name, .weight = weight},
              loss::CrossEntropy{
                  .labels = s.labels.data(), .smoothing = smoothing, .temperature = temperature});
  }
};

/// What a mean is taken over: samples, or samples and classes (PyTorch's KLDivLoss with reduction
/// "mean", as the published codes of RSLAD, ARD and ProARD).
enum class Reduction { batchmean, elementmean };

/// weight mean(temperature^2 KL(target || pass)), or of the other direction. A target that is
/// trained takes its part of the gradient too, unless it is held.
template <fixed_string Of, fixed_string Target> struct Kl {
  double weight = 1, temperature = 1;
  Reduction reduction = Reduction::batchmean;
  loss::Direction direction = loss::Direction::teacher_to_student;
  bool hold = false;
  double floor = 0;  ///< of loss::Kl; a target that is trained must be held then
  static constexpr std::array<NameOf, 2> reads{pass_named(Of.text), pass_named(Target.text)};

  template <class T, class Device> void plan(Planner<T, Device>& p) {
    const std::string name = "kl." + std::string(Of.c_str());
    p.reads_pass(Of.c_str());
    p.reads_target(Of.c_str(), Target.c_str());
    p.value(name + ".weight", weight);
    p.value(name + ".temperature", temperature);
    p.fact(name + " to " + Target.c_str() +
           (reduction == Reduction::elementmean ? " elementmean" : "") +
           (direction == loss::Direction::student_to_teacher ? " reverse" : "") +
           (hold ? " held" : "") + (floor != 0 ? " floor " + exact_text(floor) : std::string()));
    const PassOptions& of = p.options(Of.c_str());
    const PassOptions& target = p.options(Target.c_str());
    require<UsageError>(floor == 0 || hold || !target.trained, [&] {
      return "objective: " + name + ": with a floor it holds its target";
    });
    require<UsageError>(hold || !target.trained || of.rows == target.rows, [&] {
      return "objective: " + name + ": the passes '" + Of.c_str() + "' and '" + Target.c_str() +
             "' are both trained and must have the same rows";
    });
  }
  template <class T, class Device> void step(Stage<T, Device>& s) {
    static const std::string name = "kl." + std::string(Of.c_str());
    if (s.count(Of.c_str()) == 0) return;
    const bool over_elements = reduction == Reduction::elementmean;
    s.descend({.pass = Of.c_str(),
               .name = name,
               .weight = weight,
               .over_elements = over_elements,
               .target = Target.c_str()},
              loss::Kl<T, Device>{.teacher_logits = s.logits(Target.c_str()),
                                  .temperature = temperature,
                                  .direction = direction,
                                  .floor = floor});
    if (hold || !s.trained(Target.c_str())) return;
    const bool forward = direction == loss::Direction::teacher_to_student;
    s.descend_silently(
        {.pass = Target.c_str(),
         .weight = weight,
         .over_elements = over_elements,
         .target = Of.c_str()},
        loss::Kl<T, Device>{.teacher_logits = s.logits(Of.c_str()),
                            .temperature = temperature,
                            .direction = forward ? loss::Direction::student_to_teacher
                                                 : loss::Direction::teacher_to_student});
  }
};

/// weight mean(Distance(tap of the pass, the same tap of the target)); Distance: loss::Cosine,
/// loss::RelativeL2, loss::L2, loss::Mse, or one that couples the batch and takes taps of any dims:
/// distill::Similarity, distill::RelationalDistance, distill::RelationalAngle. The target is held.
template <template <class, class> class Distance, class Tag, fixed_string Of, fixed_string Target>
struct Match {
  double weight = 1;
  static constexpr std::array<NameOf, 2> reads{pass_named(Of.text), pass_named(Target.text)};

  template <class T, class Device> void plan(Planner<T, Device>& p) {
    p.reads_pass(Of.c_str());
    p.reads_pass(Target.c_str(), p.options(Of.c_str()).rows);
    const std::string name = "match." + std::string(Of.c_str());
    p.template keep_pair<Tag>(name, Of.c_str(), Target.c_str(),
                              !loss::couples<Distance<T, Device>>);
    p.value(name + ".weight", weight);
    std::string text = "match " + std::string(Of.c_str()) + " to " + Target.c_str();
    if constexpr (requires { Distance<T, Device>::name; })
      text += std::string(" ") + Distance<T, Device>::name;
    for (const Node& n : p.network(Of.c_str()).graph().nodes)
      if (Keep::tap<Tag>().applies(n)) text += " of " + n.path;
    p.fact(std::move(text));
  }
  template <class T, class Device> void step(Stage<T, Device>& s) {
    static const std::string name = "match." + std::string(Of.c_str());
    if (s.count(Of.c_str()) == 0) return;
    s.descend({.pass = Of.c_str(), .name = name, .weight = weight, .target = Target.c_str()},
              Distance<T, Device>(s.trace(Target.c_str()).template tap<Tag>().value,
                                  loss::tapped<Tag>()));
  }
};

/// weight mean(L), L = make(stage, target traces...): any loss per sample, or one that couples the
/// samples of the pass. Its targets are in the rows of the first target.
template <class Make, fixed_string Of, fixed_string... Targets> struct Term {
  double weight = 1;
  Make make;
  std::string name = "term." + std::string(Of.c_str());
  static constexpr std::array<NameOf, 1 + sizeof...(Targets)> reads{pass_named(Of.text),
                                                                    pass_named(Targets.text)...};

  template <class T, class Device> void plan(Planner<T, Device>& p) {
    p.reads_pass(Of.c_str());
    (p.reads_pass(Targets.c_str(), p.options(Of.c_str()).rows), ...);
    p.value(name + ".weight", weight);
    std::string text = name;
    ((text += std::string(" to ") + Targets.c_str()), ...);
    p.fact(std::move(text));
  }
  template <class T, class Device> void step(Stage<T, Device>& s) {
    if (s.count(Of.c_str()) == 0) return;
    Descent d{.pass = Of.c_str(), .name = name, .weight = weight};
    if constexpr (sizeof...(Targets) > 0)
      d.target = std::get<0>(std::tuple{std::string_view(Targets.c_str())...});
    s.descend(d, make(s, s.trace(Targets.c_str())...));
  }
};
template <fixed_string Of, fixed_string... Targets, class Make>
Term<Make, Of, Targets...> term(double weight, Make make) {
  return {.weight = weight, .make = std::move(make)};
}

}  // namespace rnx::inline RNX_ISA::train
