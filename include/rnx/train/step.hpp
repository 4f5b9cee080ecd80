// One training step over fixed buffers: it runs directly or is recorded once and replayed with new
// images, seed and rates.
#pragma once

#include "rnx/train/objective.hpp"

namespace rnx::inline RNX_ISA::train {

/// One number for each site: bit p says that weight and bias of path p of a batch norm there are in
/// frozen groups. Empty where none is.
template <class T, class Device>
std::vector<std::uint32_t> frozen_batch_norms(const NetworkBase<T, Device>& net,
                                              const optim::Optimizer<T, Device>& optimizer) {
  const auto& nodes = net.graph().nodes;
  const auto& list = net.parameter_list();
  const std::vector<bool> frozen = optimizer.frozen(net);
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

/// The first site with a parameter that is not in a frozen group; the number of sites where every
/// one is.
template <class T, class Device>
int first_trained_site(const NetworkBase<T, Device>& net,
                       const optim::Optimizer<T, Device>& optimizer) {
  const std::vector<bool> frozen = optimizer.frozen(net);
  for (std::size_t i = 0; i < frozen.size(); ++i)
    if (!frozen[i]) return net.parameter_list()[i].node;
  return int(net.graph().nodes.size());
}

/// A step whose objective is known by its interface: what a run drives. A program compiles the loop
/// once, whatever objectives it trains with.
template <class T, class Device> class AnyStep : public Stage<T, Device> {
 public:
  using Stage<T, Device>::Stage;
  AnyStep(const AnyStep&) = delete;
  virtual ~AnyStep() = default;

  /// Queues one step over the first n samples of `images` and `labels`. Seed, draw, rates, eps and
  /// attack step are read from `step_values` (device memory).
  virtual void operator()(int n, const StepValues* step_values, Stream stream = {}) = 0;
  virtual std::size_t bytes() const = 0;
  /// What the objective carries from step to step.
  virtual std::vector<optim::State<T>> objective_state() = 0;
  /// The logits of the last step's training forward.
  View<const T, Device> logits() const { return this->trace.logits(); }
};

/// Everything a step needs, allocated once: images and labels of a batch, traces, gradients, loss
/// values, what the objective adds.
template <class T, class Device, class Objective> class Step final : public AnyStep<T, Device> {
 public:
  using Stage<T, Device>::grads, Stage<T, Device>::trace;

  /// The optimizer must outlive the step. The network's gradients are added to it here and taken
  /// from it, with the optimizer's state, when the step ends: one optimizer may serve one step
  /// after another, each from a state of zero. Batch norms whose weight and bias are in frozen
  /// groups run as in eval mode and keep their running statistics. Backward ends above the frozen
  /// layers that a network begins with.
  Step(NetworkBase<T, Device>& network, optim::Optimizer<T, Device>& optimizer,
       const Objective& policy, int batch_size, double label_smoothing = 0)
      : AnyStep<T, Device>(network, batch_size, label_smoothing),
        objective(bind_objective(policy, stage())),
        optimizer_(optimizer) {
    optimizer_.add(network, grads);
    frozen_ = frozen_batch_norms(network, optimizer_);
    first_trained_ = first_trained_site(network, optimizer_);
  }
  ~Step() override { optimizer_.remove(grads); }

  decltype(bind_objective(std::declval<const Objective&>(),
                          std::declval<Stage<T, Device>&>())) objective;

  void operator()(int n, const StepValues* step_values, Stream stream = {}) override {
    const std::uint32_t* frozen = frozen_.empty() ? nullptr : frozen_.data();
    objective(stage(), n,
              Context{.mode = Mode::train,
                      .values = step_values,
                      .stream = stream.handle,
                      .frozen = frozen,
                      .first_trained = first_trained_});
    optimizer_.step(step_values, stream);
  }
  std::size_t bytes() const override {
    if constexpr (requires { objective.bytes(); })
      return trace.bytes() + objective.bytes();
    else
      return trace.bytes();
  }
  std::vector<optim::State<T>> objective_state() override {
    if constexpr (requires { objective.state(); })
      return objective.state();
    else
      return {};
  }

 private:
  Stage<T, Device>& stage() { return *this; }
  optim::Optimizer<T, Device>& optimizer_;
  std::vector<std::uint32_t> frozen_;
  int first_trained_ = 0;
};

}  // namespace rnx::inline RNX_ISA::train
