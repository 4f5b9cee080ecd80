// Free adversarial training (Shafahi et al. 2019): one backward gives input and weight gradients; each batch is replayed m times, and the
// perturbation is one buffer of batch shape that starts at zero and persists across batches (paper 002 says "reset": its code does not).
#pragma once

#include "rnx/train/step.hpp"

namespace rnx::inline RNX_ISA::train {

template <class T, class Device = cpu>
class FreeStep {
 public:
  /// The optimizer must outlive the step; the network's gradients are added to it here.
  FreeStep(NetworkBase<T, Device>& net, optim::Optimizer<T, Device>& optimizer, int batch)
      : images(batch, net.input_dims()), labels(batch, net.classes()), grads(net.make_grads()), values(batch), delta(batch, net.input_dims()), net_(net), optimizer_(optimizer),
        moved_(batch, net.input_dims()), gradient_(batch, net.input_dims()), trace_(net.make_trace({.use = Use::train, .capacity = batch})) {
    optimizer_.add(net, grads);
  }
  FreeStep(const FreeStep&) = delete;

  Tensor<T, Device> images;
  loss::Labels<Device> labels;
  Grads<T, Device> grads;
  loss::Values<T, Device> values;
  Tensor<T, Device> delta;  ///< the perturbation: persists

  /// One replay over the first n samples: gradients at clip(x + delta), a step of the weights and a step of length eps of the perturbation.
  /// Called m times per batch, each with its own step values (the learning rate is stepped per replay).
  void operator()(int n, const StepValues* step_values, Stream stream = {}) {
    const std::size_t count = n * net_.input_dims().count();
    run<op::perturb, Device, T>(stream, {count, images.data(), delta.data(), moved_.data()});
    const Context ctx{.mode = Mode::train, .values = step_values, .stream = stream.handle};
    grads.zero(stream);
    net_.forward(trace_, std::as_const(moved_).view().samples(0, n), ctx);
    loss::CrossEntropy{.labels = labels.data()}(trace_, values.call(n, loss::batchmean(n)));
    net_.backward(trace_, gradient_.view().samples(0, n), &grads);
    net_.commit_statistics(trace_);
    run<op::perturbation_step, Device, T>(stream, {count, step_values, gradient_.data(), delta.data()});
    optimizer_.step(step_values, stream);
  }
  /// The input gradient of the last replay.
  const Tensor<T, Device>& input_gradient() const { return gradient_; }

 private:
  NetworkBase<T, Device>& net_;
  optim::Optimizer<T, Device>& optimizer_;
  Tensor<T, Device> moved_, gradient_;
  Trace<T, Device> trace_;
};

}  // namespace rnx::inline RNX_ISA::train
