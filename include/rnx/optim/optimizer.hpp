// What optimizers share: the objects they step, groups of parameters, clipping, state for
// checkpoints.
#pragma once

#include <functional>
#include <set>

#include "rnx/kernels/op/memory.hpp"
#include "rnx/network/parameter.hpp"
#include "rnx/optim/cpu.hpp"
#include "rnx/optim/step.hpp"

namespace rnx::inline RNX_ISA::optim {

/// Parameters treated alike: those of these kinds (none: of any kind) whose full name matches the
/// glob. The first group that matches wins.
struct Group {
  std::vector<ParameterKind> kinds{};
  std::string names = "*";
  double lr_factor = 1;
  std::optional<double> weight_decay{};  ///< empty: the optimizer's
  /// neither stepped nor decayed, no state moves, not part of the gradient's norm
  bool frozen = false;

  bool applies(const std::string& name, ParameterKind kind) const {
    return (kinds.empty() || std::find(kinds.begin(), kinds.end(), kind) != kinds.end()) &&
           matches(names, name);
  }
};
/// No weight decay on biases and on batch norm's weights and biases.
inline Group no_decay_on_norm_and_bias() {
  return {.kinds = {ParameterKind::bias, ParameterKind::norm_weight, ParameterKind::norm_bias},
          .weight_decay = 0.0};
}
/// What matches stays as it is: .groups = {{.names = "fc.*"}, optim::freeze("*")} trains the
/// classifier alone. Batch norms of which weight and bias are frozen run as in eval mode in
/// training, with their running statistics, and keep them (train::Step).
inline Group freeze(std::string names) { return {.names = std::move(names), .frozen = true}; }
/// The same for the batch norms among them, while what surrounds them is trained.
inline Group freeze_batch_norms(std::string names = "*") {
  return {.kinds = {ParameterKind::norm_weight, ParameterKind::norm_bias},
          .names = std::move(names),
          .frozen = true};
}

/// A piece of the state of an optimizer, objective or callback, as checkpoints see it: a tensor in
/// device memory ("momentum.layer1.0.conv1.weight"), or one whole number in host memory ("steps";
/// other numbers by std::bit_cast).
template <class T> struct State {
  std::string name;
  std::vector<int> shape{};
  T* data = nullptr;
  std::size_t count = 0;
  std::int64_t* number = nullptr;  ///< not null: this number is all of it
};

/// Steps any number of parametrised objects. Objects and gradients must outlive it and stay where
/// they are. Everything a step reads lies at fixed addresses in device memory, so a step can be
/// recorded and replayed with other StepValues; a replay does not raise parameter versions: whoever
/// replays calls object.mutable_parameters() once before using the object outside replays.
template <class T = float, class Device = default_device> class Optimizer {
 public:
  using Object = Parametrised<T, Device>;

  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// `prefix` goes before the names in groups and state. Throws ShapeError when the gradients
  /// belong to another object, UsageError when object or gradients were added before, NameError
  /// when a name was. State starts at zero. Parameters of which `takes` says false are
  /// frozen.
  void add(Object& object, Grads<T, Device>& grads, const std::string& prefix = "",
           const std::function<bool(const std::string& name, ParameterKind)>& takes = {}) {
    require<ShapeError>(grads.flat.size() == object.parameter_storage(),
                        "optim: these gradients belong to another object");
    for (const Member& m : members_)
      require<UsageError>(m.object != &object && m.grads != &grads,
                          "optim: this object or its gradients were added before");
    Member m{&object, &grads, {}, {}, {}, std::vector<bool>(groups_.size())};
    for (const NamedParameter& p : object.parameter_list()) {
      const std::string name = prefix + p.name;
      const bool is_new = names_.insert(name).second;
      require<NameError>(is_new, [&] {
        return "optim: two parameters are called '" + name + "'; give one object a prefix";
      });
      m.parameters.push_back({name, p.shape, p.offset, p.count});
      Range r{p.offset, p.count, 1, decay_, false};
      bool found = false;
      for (std::size_t i = 0; i < groups_.size(); ++i) {
        if (!groups_[i].applies(name, p.kind)) continue;
        m.used[i] = true;
        if (!found) {
          r.lr_factor = groups_[i].lr_factor;
          r.decay = groups_[i].weight_decay.value_or(decay_);
          r.frozen = groups_[i].frozen;
        }
        found = true;
      }
      if (takes && !takes(name, p.kind)) r.frozen = true;
      // one launch for neighbours that are treated alike; the padding between them is zero and
      // stays so
      if (!m.ranges.empty() && m.ranges.back().like(r))
        m.ranges.back().count = r.offset + r.count - m.ranges.back().offset;
      else
        m.ranges.push_back(r);
    }
    for (std::size_t i = 0; i < slots_.size(); ++i)
      m.state.emplace_back(object.parameter_storage());
    members_.push_back(std::move(m));
  }

  /// Forgets the object whose gradients these are, and its state: whoever owns gradients that do
  /// not outlive the optimizer calls it. The optimizer is then as if they had never been added.
  void remove(const Grads<T, Device>& grads) {
    std::erase_if(members_, [&](const Member& m) {
      if (m.grads != &grads) return false;
      for (const Parameter& p : m.parameters) names_.erase(p.name);
      return true;
    });
    if (members_.empty()) reset();
  }
  /// Whether each parameter of an object, in the order of its list, is in a frozen group. All false
  /// for an object that was not added.
  std::vector<bool> frozen(const Object& object) const {
    const auto& list = object.parameter_list();
    std::vector<bool> result(list.size());
    for (const Member& m : members_)
      for (std::size_t i = 0; m.object == &object && i < list.size(); ++i)
        for (const Range& r : m.ranges)
          result[i] = result[i] || (r.frozen && r.offset <= list[i].offset &&
                                    list[i].offset < r.offset + r.count);
    return result;
  }
  /// All options that bits depend on, as one line: checkpoints keep it, and a resume with another
  /// one is refused.
  virtual std::string describe() const {
    std::string text = "weight decay " + exact_text(decay_);
    for (const Group& g : groups_) {
      text += "; " + g.names;
      for (const ParameterKind kind : g.kinds) text += " kind " + std::to_string(int(kind));
      text += " factor " + exact_text(g.lr_factor) + (g.frozen ? " frozen" : "");
      if (g.weight_decay) text += " decay " + exact_text(*g.weight_decay);
    }
    return text;
  }

  /// Scales the next step's gradients by min(1, limit / (norm + 1e-6)), norm: l2 over all that is
  /// not frozen (PyTorch's clip_grad_norm_). Grads are left as they are. Throws UsageError unless
  /// limit > 0.
  void clip_grad_norm(double limit, Stream stream = {}) {
    expect(limit > 0 && std::isfinite(limit), "the limit of the gradient's norm must be positive",
           limit);
    memory<Device>::zero(norm_.data(), sizeof(double), stream);
    for (const Member& m : members_)
      for (const Range& r : m.ranges)
        if (!r.frozen)
          run<Device>(stream,
                      op::square_sum<T>{r.count, m.grads->flat.data() + r.offset, norm_.data()});
    run<Device>(stream, op::clip_factor<T>{limit, norm_.data(), norm_.data() + 1});
    clip_ = true;
  }
  /// The norm that the last clip_grad_norm found.
  double grad_norm(Stream stream = {}) const {
    double sum = 0;
    memory<Device>::download(&sum, norm_.data(), sizeof(sum), stream);
    return std::sqrt(sum);
  }

  /// One step of every object; `values` is device memory (StepState::get). Raises parameter
  /// versions.
  /// Throws UsageError without values, NameError when a group's glob matches no parameter of any
  /// object.
  void step(const StepValues* values, Stream stream = {}) {
    require<UsageError>(values != nullptr,
                        "optim: a step needs its values in device memory; see StepState");
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      const std::string& names = groups_[i].names;
      const bool found =
          std::any_of(members_.begin(), members_.end(), [&](const Member& m) { return m.used[i]; });
      const bool used = found || names == "*" || members_.empty();
      require<NameError>(used,
                         [&] { return "optim: no parameter matches the group '" + names + "'"; });
    }
    before_step();
    for (Member& m : members_) {
      T* p = m.object->mutable_parameters();
      for (const Range& r : m.ranges)
        if (!r.frozen)
          update(m, r, p + r.offset, values, clip_ ? norm_.data() + 1 : nullptr, stream);
    }
    clip_ = false;
  }
  /// Zeroes all gradients.
  void zero_grads(Stream stream = {}) {
    for (Member& m : members_) m.grads->zero(stream);
  }

  /// Writes a schedule's rates to the values of a step, before it. Throws UsageError when they move
  /// a momentum that this optimizer does not have: one that has it overrides this.
  virtual void apply(const Rates& rates, StepValues& values) {
    check_lr(rates.lr);
    require<UsageError>(!rates.momentum,
                        "optim: the schedule moves the momentum, but this optimizer has none");
    values.lr = rates.lr;
  }
  /// Everything that steps change: every moving average, object by object, parameter by parameter,
  /// and what an optimizer adds (counters).
  virtual std::vector<State<T>> state() {
    std::vector<State<T>> list;
    for (std::size_t i = 0; i < slots_.size(); ++i)
      for (Member& m : members_)
        for (const Parameter& p : m.parameters)
          list.push_back(
              {slots_[i] + "." + p.name, p.shape, m.state[i].data() + p.offset, p.count});
    return list;
  }

 protected:
  struct Parameter {
    std::string name;
    std::vector<int> shape;
    std::size_t offset, count;
  };
  struct Range {
    std::size_t offset, count;
    double lr_factor, decay;
    bool frozen;
    bool like(const Range& o) const {
      return lr_factor == o.lr_factor && decay == o.decay && frozen == o.frozen;
    }
  };
  struct Member {
    Object* object;
    Grads<T, Device>* grads;
    std::vector<Parameter> parameters;
    std::vector<Range> ranges;
    std::vector<Buffer<T, Device>> state;
    std::vector<bool> used;  // of the groups
  };

  Optimizer(double decay, std::vector<Group> groups, std::vector<std::string> state_names)
      : decay_(decay),
        groups_(std::move(groups)),
        slots_(std::move(state_names)),
        norm_(2) {
    check_decay(decay_);
    for (const Group& g : groups_) {
      check_lr(g.lr_factor);
      check_decay(g.weight_decay.value_or(0));
    }
  }
  virtual void before_step() {}
  /// The last object was removed: counters start again.
  virtual void reset() {}
  virtual void update(Member& m, const Range& r, T* parameter, const StepValues* values,
                      const double* clip, Stream stream) = 0;

 private:
  double decay_;
  std::vector<Group> groups_;
  std::vector<std::string> slots_;
  std::set<std::string> names_;
  std::vector<Member> members_;
  Buffer<double, Device> norm_;  // sum of squares, factor
  bool clip_ = false;
};

}  // namespace rnx::inline RNX_ISA::optim
