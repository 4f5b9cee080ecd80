// Terms that compare layers of student and teacher, and a contrastive one with a memory. Included
// by name, with rnx/distill.hpp. Relations among samples are a Match of distill::Similarity and the
// like.
#pragma once

#include "rnx/distill.hpp"
#include "rnx/train/terms.hpp"

namespace rnx::inline RNX_ISA::train {

/// weight mean(attention transfer between pairs of layers); RLNet's third stage and Zagoruyko &
/// Komodakis 2017 (distill/attention.hpp).
template <fixed_string Of, fixed_string Target> struct Attention {
  double weight = 1;
  std::vector<distill::AttentionPair> pairs{};
  distill::AttentionOptions options{};
  static constexpr std::array<NameOf, 2> reads{pass_named(Of.text), pass_named(Target.text)};

  template <class T, class Device> void plan(Planner<T, Device>& p) {
    require<UsageError>(!pairs.empty(), "objective: Attention needs pairs of layers");
    p.reads_pass(Of.c_str());
    p.reads_pass(Target.c_str(), p.options(Of.c_str()).rows);
    using Loss = distill::AttentionTransfer<T, Device>;
    for (const Keep& k : Loss::student_keep(pairs, options.compared)) p.keep(Of.c_str(), k);
    for (const Keep& k : Loss::teacher_keep(pairs, options.compared)) p.keep(Target.c_str(), k);
    p.value(name() + ".weight", weight);
    std::string text = name() + " to " + Target.c_str() + " size " + std::to_string(options.size) +
                       (options.resize == Resize::bilinear ? " bilinear" : " average");
    if (options.compared == distill::Compared::activations) text += " of whole activations";
    for (const distill::AttentionPair& pair : pairs)
      text += " " + pair.student + "=" + pair.teacher;
    p.fact(std::move(text));
  }
  template <class T, class Device> void step(Stage<T, Device>& s) {
    if (s.count(Of.c_str()) == 0) return;
    static const std::string label = name();
    auto& loss = s.once(label, [&] {
      return distill::AttentionTransfer<T, Device>(s.trace(Target.c_str()), pairs, options);
    });
    s.descend({.pass = Of.c_str(), .name = label, .weight = weight, .target = Target.c_str()},
              loss);
  }

 private:
  static std::string name() { return "attention." + std::string(Of.c_str()); }
};

/// weight times RNAS-CL's tutor loss (paper 001, eq. 1 and 2): each student layer chooses a teacher
/// layer. options: {.per_batch = true, .joint = true} is the released code's form. Its logits are a
/// part of the objective, of the kind architecture; their parameters are called
/// "tutor.<pass>.<name>".
template <fixed_string Of, fixed_string Target> struct Tutor {
  double weight = 1;
  distill::TutorOptions options{};
  bool one_hot = false;  ///< what was found is trained: argmax, without noise and gradient
  static constexpr std::array<NameOf, 2> reads{pass_named(Of.text), pass_named(Target.text)};

  template <class T, class Device> void plan(Planner<T, Device>& p) {
    p.reads_pass(Of.c_str());
    p.reads_pass(Target.c_str(), p.options(Of.c_str()).rows);
    require<UsageError>(p.options(Of.c_str()).rows == p.options(Target.c_str()).rows,
                        "objective: Tutor compares passes of the same rows");
    using Loss = distill::TutorLoss<T, Device>;
    auto& loss = p.part(name(), std::make_unique<Loss>(p.network(Of.c_str()).graph(),
                                                       p.network(Target.c_str()).graph(), options));
    loss.one_hot(one_hot);
    for (const Keep& k : loss.student_keep()) p.keep(Of.c_str(), k);
    for (const Keep& k : loss.teacher_keep()) p.keep(Target.c_str(), k);
    p.value(name() + ".weight", weight);
    std::string text = name() + " to " + Target.c_str() + (one_hot ? " one-hot" : "") + " size " +
                       std::to_string(options.size) + (options.per_batch ? " per batch" : "") +
                       (options.joint ? " joint" : "");
    for (const std::string& layer : loss.student_layers()) text += " " + layer;
    text += " =";
    for (const std::string& layer : loss.teacher_layers()) text += " " + layer;
    p.fact(std::move(text));
  }
  template <class T, class Device> void step(Stage<T, Device>& s) {
    if (s.count(Of.c_str()) == 0) return;
    static const std::string label = name();
    using Loss = distill::TutorLoss<T, Device>;
    s.descend({.pass = Of.c_str(), .name = label, .weight = weight, .target = Target.c_str()},
              distill::TutorTerm<T, Device>{&s.template part_as<Loss>(label),
                                            &s.trace(Target.c_str()), &s.part_grads(label)});
  }

 private:
  static std::string name() { return "tutor." + std::string(Of.c_str()); }
};

/// weight mean(InfoNCE of a tap of the pass and the same tap of the target), beside the target's
/// rows of the last `memory` samples of steps before (distill/contrast.hpp). The memory is a state
/// of the objective and part of checkpoints; it grows once a step, however often the term runs. One
/// for each pass. Errors: ShapeError where the two taps differ in their dims.
template <class Tag, fixed_string Of, fixed_string Target> struct Contrast {
  double weight = 1, temperature = 0.1;
  int memory = 4096;  ///< rows
  static constexpr std::array<NameOf, 2> reads{pass_named(Of.text), pass_named(Target.text)};

  template <class T, class Device> void plan(Planner<T, Device>& p) {
    p.reads_pass(Of.c_str());
    p.reads_pass(Target.c_str(), p.options(Of.c_str()).rows);
    const Dims rows = p.template keep_pair<Tag>(name(), Of.c_str(), Target.c_str());
    const distill::FeatureMemory<T> bank{
        .newest = memory, .batch = p.batch(), .width = int(rows.count())};
    bank.check();
    p.state(name() + ".memory", {bank.capacity(), bank.width});
    p.state(name() + ".at", {3});
    p.value(name() + ".weight", weight);
    p.value(name() + ".temperature", temperature);
    p.fact(name() + " to " + Target.c_str() + " memory " + std::to_string(memory));
  }
  template <class T, class Device> void step(Stage<T, Device>& s) {
    if (s.count(Of.c_str()) == 0) return;
    static const std::string label = name();
    const auto target = s.trace(Target.c_str()).template tap<Tag>().value;
    s.descend({.pass = Of.c_str(), .name = label, .weight = weight, .target = Target.c_str()},
              distill::InfoNce<T, Device>(target, bank(s, int(target.dims.count())), temperature,
                                          loss::tapped<Tag>()));
  }
  template <class T, class Device> void finish(Stage<T, Device>& s) {
    distill::remember<T, Device>(bank(s, 1), s.stream());  // whatever the rows' width
  }

 private:
  static std::string name() { return "contrast." + std::string(Of.c_str()); }
  template <class T, class Device>
  distill::FeatureMemory<T> bank(Stage<T, Device>& s, int width) const {
    static const std::string rows = name() + ".memory", at = name() + ".at";
    return {.newest = memory,
            .batch = s.batch(),
            .width = width,
            .rows = s.state(rows),
            .at = s.state(at)};
  }
};

}  // namespace rnx::inline RNX_ISA::train
