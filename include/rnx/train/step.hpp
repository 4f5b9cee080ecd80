// One training step over fixed buffers: an objective, the memory that it works on, and the
// optimizers that follow. It runs directly, or is recorded once and replayed with new images and
// values.
#pragma once

#include "rnx/train/objective.hpp"

namespace rnx::inline RNX_ISA::train {

/// Which parameters a stepper steps: those of these kinds (none: of any kind) whose full name
/// matches the glob, or all others. Parameters of an objective's part are called
/// "<part>.<parameter>".
struct Takes {
  std::vector<ParameterKind> kinds{};
  std::string names = "*";
  bool others = false;

  bool holds(const std::string& name, ParameterKind kind) const {
    const bool listed = kinds.empty() || std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
    return (listed && matches(names, name)) != others;
  }
  /// Architecture parameters (of choices), and all that are none.
  static Takes architecture() { return {.kinds = {ParameterKind::architecture}}; }
  static Takes weights() { return {.kinds = {ParameterKind::architecture}, .others = true}; }
  std::string describe() const {
    if (kinds.empty() && names == "*" && !others) return "";
    std::string text = others ? " takes all but" : " takes";
    for (const ParameterKind kind : kinds) text += " kind " + std::to_string(int(kind));
    return text + " " + names;
  }
};

/// A share of an epoch's batches.
struct During {
  double begin = 0, end = 1;
  bool holds(const Moment& m) const {
    const Rows rows{begin, end};
    const long first = rows.first(int(m.steps));
    return m.step >= first && m.step < first + rows.count(int(m.steps));
  }
};

/// An optimizer's part in a run. It steps what it takes of the student and of the objective's parts
/// in its share of each epoch's batches. Its values are called "<name>.lr", "<name>.momentum"; a
/// stepper without a name is the only one.
template <class T, class Device> struct Stepper {
  std::string name;
  optim::Optimizer<T, Device>& optimizer;
  Takes takes{};
  During during{};
};

/// One number for each site: bit p says that weight and bias of path p of a batch norm there are
/// frozen. Empty where none is.
template <class T, class Device>
std::vector<std::uint32_t> frozen_batch_norms(const NetworkBase<T, Device>& net,
                                              const std::vector<bool>& frozen) {
  const auto& nodes = net.graph().nodes;
  const auto& list = net.parameter_list();
  std::vector<std::uint32_t> weights(nodes.size()), biases(nodes.size()),
      weight_bit(nodes.size(), 1), bias_bit(nodes.size(), 1);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const int site = list[i].node;
    if (nodes[site].kind != Kind::batch_norm) continue;
    const bool weight = list[i].kind == ParameterKind::norm_weight;
    std::uint32_t& bit = weight ? weight_bit[site] : bias_bit[site];
    if (frozen[i]) (weight ? weights : biases)[site] |= bit;
    bit <<= 1;  // of the next path
  }
  bool any = false;
  for (std::size_t i = 0; i < nodes.size(); ++i) any |= (weights[i] &= biases[i]) != 0;
  return any ? weights : std::vector<std::uint32_t>{};
}

/// The first site with a parameter that is not frozen; the number of sites where every
/// one is.
template <class T, class Device>
int first_trained_site(const NetworkBase<T, Device>& net, const std::vector<bool>& frozen) {
  for (std::size_t i = 0; i < frozen.size(); ++i)
    if (!frozen[i]) return net.parameter_list()[i].node;
  return int(net.graph().nodes.size());
}

/// The gradients of a step go to its optimizers here and are taken from them, with the optimizers'
/// state, when the step ends: one optimizer may serve one step after another, each from a state of
/// zero. Network and optimizers must outlive it. Batch norms whose weight and bias no stepper
/// trains run as in eval mode and keep their running statistics; backward ends above the frozen
/// layers that a network begins with.
template <class T = float, class Device = default_device> class Step {
 public:
  using Steppers = std::vector<Stepper<T, Device>>;

  Step(NetworkBase<T, Device>& net, optim::Optimizer<T, Device>& optimizer,
       AnyObjective<T, Device> objective, int batch)
      : Step(net, Steppers{{.name = "", .optimizer = optimizer}}, std::move(objective), batch) {}
  Step(NetworkBase<T, Device>& net, Steppers steppers, AnyObjective<T, Device> objective, int batch)
      : objective_(std::move(objective)),
        stage_(net, planned(net, objective_, batch)),
        steppers_(std::move(steppers)) {
    check_names();
    for (std::size_t k = 0; k < steppers_.size(); ++k) {
      rates_.push_back(std::make_unique<optim::StepState<Device>>());
      add(steppers_[k]);
    }
    const std::vector<bool> frozen = frozen_everywhere();
    stage_.freeze(frozen_batch_norms(net, frozen), first_trained_site(net, frozen));
  }
  Step(const Step&) = delete;
  ~Step() {
    for (auto& s : steppers_) {
      s.optimizer.remove(stage_.grads(into(s)));
      for (std::size_t k = 0; k < stage_.plan().parts.size(); ++k)
        s.optimizer.remove(stage_.part_grads(k));
    }
  }

  /// Of the last step: the objective's value (errors: NumericError), the student's gradients.
  double value() const { return stage_.objective_value(); }
  const Grads<T, Device>& grads() { return stage_.grads(); }
  Stage<T, Device>& stage() { return stage_; }
  const Stage<T, Device>& stage() const { return stage_; }
  AnyObjective<T, Device>& objective() { return objective_; }
  const Steppers& steppers() const { return steppers_; }
  /// Images of the loader's view k, (n, c, h, w), and the labels of the step to come.
  Tensor<T, Device>& images(std::size_t view = 0) { return stage_.images(view); }
  loss::Labels<Device>& labels() { return stage_.labels; }

  /// Seed, draw, temperature and rates of the step to come, to device memory; attacks write their
  /// radius. The same rates for every stepper.
  void set(const StepValues& values, Stream stream = {}) {
    stage_.set_values(values, stream);
    for (auto& state : rates_) state->set(values, stream);
  }
  /// The same with rates for each stepper, in their order. Errors: those of Optimizer::apply.
  void set(const StepValues& values, std::span<const optim::Rates> rates, Stream stream = {}) {
    stage_.set_values(values, stream);
    for (std::size_t k = 0; k < steppers_.size(); ++k) {
      StepValues own = values;
      steppers_[k].optimizer.apply(rates[k], own);
      rates_[k]->set(own, stream);
    }
  }
  /// Queues one step over the first n samples.
  void operator()(int n, Stream stream = {}) { run({.n = n}, stream); }
  void run(const Moment& moment, Stream stream = {}) {
    stage_.begin(moment, stream);
    auto nothing = [] {};
    objective_.run(stage_, objective_, Rest(nothing));
    objective_.finish(stage_);
    for (std::size_t k = 0; k < steppers_.size(); ++k)
      if (steppers_[k].during.holds(moment)) steppers_[k].optimizer.step(rates_[k]->get(), stream);
  }
  void begin_epoch(const Moment& now) {
    Epoch<T, Device> epoch{now, stage_.net, stage_};
    objective_.begin_epoch(epoch);
  }
  void end_epoch(const Moment& now) {
    Epoch<T, Device> epoch{now, stage_.net, stage_};
    objective_.end_epoch(epoch);
  }

  /// All that a checkpoint holds: of the objective ("objective.<name>"), and of the optimizers
  /// ("<stepper>/<name>" where there are several).
  std::vector<optim::State<T>> state() {
    std::vector<optim::State<T>> list;
    for (auto& s : steppers_)
      for (optim::State<T>& part : s.optimizer.state()) {
        if (!s.name.empty()) part.name = s.name + "/" + part.name;
        list.push_back(std::move(part));
      }
    for (optim::State<T>& part : stage_.states()) {
      part.name = "objective." + part.name;
      list.push_back(std::move(part));
    }
    return list;
  }
  /// Memory of traces and attacks, in bytes.
  std::size_t bytes() const {
    std::size_t sum = 0;
    for (const auto& [name, bytes] : stage_.bytes()) sum += bytes;
    return sum;
  }

 private:
  static Plan<T, Device> planned(const NetworkBase<T, Device>& net,
                                 AnyObjective<T, Device>& objective, int batch) {
    require<UsageError>(batch > 0, "step: the batch must have at least one sample");
    Planner<T, Device> planner(net, batch);
    objective.plan(planner);
    return planner.take();
  }
  void check_names() const {
    require<UsageError>(!steppers_.empty(), "step: it needs an optimizer");
    std::set<std::string> names;
    for (const auto& s : steppers_) {
      require<UsageError>(steppers_.size() == 1 || !s.name.empty(),
                          "step: several steppers need names");
      require<NameError>(names.insert(s.name).second,
                         [&] { return "step: two steppers are called '" + s.name + "'"; });
    }
    for (const auto& p : stage_.plan().passes)
      require<NameError>(p.options.into.empty() || names.contains(p.options.into), [&] {
        return "objective: pass '" + p.name + "' is for the stepper '" + p.options.into +
               "', which is not there";
      });
  }
  /// The gradients that a stepper takes: those that passes made for it, or those of all others.
  std::string into(const Stepper<T, Device>& s) const {
    for (const auto& p : stage_.plan().passes)
      if (!s.name.empty() && p.options.into == s.name) return s.name;
    return "";
  }
  void add(Stepper<T, Device>& s) {
    const auto takes = [which = s.takes](const std::string& name, ParameterKind kind) {
      return which.holds(name, kind);
    };
    s.optimizer.add(stage_.net, stage_.grads(into(s)), "", takes);
    for (std::size_t k = 0; k < stage_.plan().parts.size(); ++k)
      s.optimizer.add(stage_.part(k), stage_.part_grads(k), stage_.plan().parts[k].name + ".",
                      takes);
  }
  std::vector<bool> frozen_everywhere() const {
    std::vector<bool> frozen(stage_.net.parameter_list().size(), true);
    for (const auto& s : steppers_) {
      const std::vector<bool> here = s.optimizer.frozen(stage_.net);
      for (std::size_t i = 0; i < frozen.size(); ++i) frozen[i] = frozen[i] && here[i];
    }
    return frozen;
  }

  AnyObjective<T, Device> objective_;
  Stage<T, Device> stage_;
  Steppers steppers_;
  std::vector<std::unique_ptr<optim::StepState<Device>>> rates_;
};

}  // namespace rnx::inline RNX_ISA::train
