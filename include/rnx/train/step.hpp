// One training step over fixed buffers: it runs directly or is recorded once and replayed with new images, seed and rates.
#pragma once

#include "rnx/eval.hpp"
#include "rnx/optim.hpp"

namespace rnx::inline RNX_ISA::train {

/// Cross-entropy on the images.
struct Natural {};
/// Cross-entropy on adversarial images only (Madry et al. 2018). The attack sees the model in `mode`; eps, step and seed are the policy's.
template <class Attack = attack::Pgd<>>
struct Adversarial {
  Attack attack{};
  Mode mode = Mode::eval;
};
template <class O> inline constexpr bool attacks = false;
template <class A> inline constexpr bool attacks<Adversarial<A>> = true;

/// Everything a step needs, allocated once: images and labels of a batch, traces, gradients, loss values.
template <class T, class Device, class Objective>
class Step {
 public:
  /// The optimizer must outlive the step; the network's gradients are added to it here.
  Step(NetworkBase<T, Device>& net, optim::Optimizer<T, Device>& optimizer, Objective objective, int batch, double label_smoothing = 0)
      : images(batch, net.input_dims()), labels(batch, net.classes()), grads(net.make_grads()), values(batch), net_(net), optimizer_(optimizer), objective_(std::move(objective)),
        smoothing_(label_smoothing), adversarial_(attacks<Objective> ? batch : 0, net.input_dims()), trace_(net.make_trace({.use = Use::train, .capacity = batch})) {
    // in eval mode a few samples at a time keep an attack's activations in cache; in train mode batch norm needs the whole batch
    if constexpr (attacks<Objective>) work_.emplace(net, batch, objective_.mode == Mode::eval ? 16 : 0, std::vector<Keep>{}, objective_.mode);
    optimizer_.add(net, grads);
  }
  Step(const Step&) = delete;

  Tensor<T, Device> images;       ///< (n, c, h, w) in [0, 1]: fill before each step
  loss::Labels<Device> labels;
  Grads<T, Device> grads;
  loss::Values<T, Device> values; ///< per-sample losses of the last step

  /// Queues one step over the first n samples. Seed, draw, rates, eps and attack step are read from `step_values` (device memory).
  void operator()(int n, const StepValues* step_values, Stream stream = {}) {
    Context ctx{.mode = Mode::train, .values = step_values, .stream = stream.handle};
    const loss::CrossEntropy loss{.labels = labels.data(), .smoothing = smoothing_};
    View<const T, Device> x = std::as_const(images).view().samples(0, n);
    if constexpr (attacks<Objective>) {
      const View<T, Device> moved = adversarial_.view().samples(0, n);
      Context at = ctx;
      at.mode = objective_.mode;
      objective_.attack(net_, *work_, x, moved, loss, at);
      x = moved;
    }
    grads.zero(stream);
    net_.forward(trace_, x, ctx);
    loss(trace_, values.call(n, loss::batchmean(n)));
    net_.backward(trace_, {}, &grads);
    net_.commit_statistics(trace_);
    optimizer_.step(step_values, stream);
  }
  /// The logits of the last step's training forward.
  View<const T, Device> logits() const { return trace_.logits(); }
  std::size_t bytes() const { return trace_.bytes() + (work_ ? work_->trace.bytes() : 0); }

 private:
  NetworkBase<T, Device>& net_;
  optim::Optimizer<T, Device>& optimizer_;
  Objective objective_;
  double smoothing_;
  Tensor<T, Device> adversarial_;
  Trace<T, Device> trace_;
  std::optional<attack::Workspace<T, Device>> work_;
};

}  // namespace rnx::inline RNX_ISA::train
