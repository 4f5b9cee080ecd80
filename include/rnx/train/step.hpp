// One training step over fixed buffers: it runs directly or is recorded once and replayed with new images, seed and rates.
#pragma once

#include "rnx/train/objective.hpp"

namespace rnx::inline RNX_ISA::train {

/// Everything a step needs, allocated once: images and labels of a batch, traces, gradients, loss values, what the objective adds.
template <class T, class Device, class Objective>
class Step : public Stage<T, Device> {
 public:
  using Stage<T, Device>::grads, Stage<T, Device>::trace;

  /// The optimizer must outlive the step; the network's gradients are added to it here.
  Step(NetworkBase<T, Device>& net, optim::Optimizer<T, Device>& optimizer, const Objective& objective, int batch, double label_smoothing = 0)
      : Stage<T, Device>(net, batch, label_smoothing), objective(*this, objective), optimizer_(optimizer) {
    optimizer_.add(net, grads);
  }
  Step(const Step&) = delete;

  typename Objective::template bind<T, Device> objective;

  /// Queues one step over the first n samples of `images` and `labels`. Seed, draw, rates, eps and attack step are read from `step_values` (device memory).
  void operator()(int n, const StepValues* step_values, Stream stream = {}) {
    objective(*this, n, Context{.mode = Mode::train, .values = step_values, .stream = stream.handle});
    optimizer_.step(step_values, stream);
  }
  /// The logits of the last step's training forward.
  View<const T, Device> logits() const { return trace.logits(); }
  std::size_t bytes() const { return trace.bytes() + objective.bytes(); }

 private:
  optim::Optimizer<T, Device>& optimizer_;
};

}  // namespace rnx::inline RNX_ISA::train
