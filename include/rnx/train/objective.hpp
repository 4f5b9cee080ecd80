// What a training step computes. An objective is a policy with
//   int replays() const                          how often each batch is used (1, but for Free)
//   void set(StepValues&) const                  writes its attack's radius and step
//   template <class T, class Device> bind        its bound form: constructed with (Stage&, objective), called with (Stage&, n, context)
// The bound form leaves parameter gradients in stage.grads, per-sample losses in stage.values and logits in stage.trace, and commits
// batch statistics. A user's own objective is any such type.
#pragma once

#include "rnx/eval/accuracy.hpp"
#include "rnx/optim.hpp"

namespace rnx::inline RNX_ISA::train {

/// Memory that every objective works on, allocated once.
template <class T, class Device>
struct Stage {
  Stage(NetworkBase<T, Device>& network, int batch_size, double label_smoothing)
      : net(network), batch(batch_size), smoothing(label_smoothing), images(batch, net.input_dims()), labels(batch, net.classes()), grads(net.make_grads()), values(batch),
        trace(net.make_trace({.use = Use::train, .capacity = batch})) {}

  NetworkBase<T, Device>& net;
  int batch;
  double smoothing;
  Tensor<T, Device> images;        ///< (n, c, h, w) in [0, 1]
  loss::Labels<Device> labels;
  Grads<T, Device> grads;
  loss::Values<T, Device> values;  ///< per-sample losses of the last step
  Trace<T, Device> trace;          ///< of the forward whose logits are counted

  loss::CrossEntropy cross_entropy() const { return {.labels = labels.data(), .smoothing = smoothing}; }
  View<const T, Device> clean(int n) const { return images.view().samples(0, n); }
  /// Forward, mean loss, backward and the commit of statistics at x. dx may be empty.
  template <class Loss>
  void descend(View<const T, Device> x, const Loss& loss, const Context& ctx, View<T, Device> dx = {}) {
    grads.zero({ctx.stream});
    net.forward(trace, x, ctx);
    loss(trace, values.call(x.n, loss::batchmean(x.n)));
    net.backward(trace, dx, &grads);
    net.commit_statistics(trace);
  }
};

/// Cross-entropy on the images.
struct Natural {
  int replays() const { return 1; }
  void set(StepValues&) const {}

  template <class T, class Device>
  struct bind {
    bind(Stage<T, Device>&, const Natural&) {}
    void operator()(Stage<T, Device>& s, int n, const Context& ctx) { s.descend(s.clean(n), s.cross_entropy(), ctx); }
    std::size_t bytes() const { return 0; }
    std::vector<optim::State<T>> state() { return {}; }
  };
};

/// Cross-entropy on adversarial images only (Madry et al. 2018; with Fgsm and Start::random: Wong et al. 2020). The attack sees the model
/// in `mode`; eps, step and seed are the policy's.
template <class Attack = attack::Pgd<>>
struct Adversarial {
  Attack attack{};
  Mode mode = Mode::eval;

  int replays() const { return 1; }
  void set(StepValues& v) const { v.eps = attack.eps, v.step = attack.step; }

  template <class T, class Device>
  class bind {
   public:
    // in eval mode a few samples at a time keep an attack's activations in cache; in train mode batch norm needs the whole batch,
    // and the training trace is free until the step's own forward
    bind(Stage<T, Device>& s, const Adversarial& objective) : objective_(objective), adversarial_(s.batch, s.net.input_dims()) {
      if (objective.mode == Mode::eval) work_.emplace(s.net, s.batch);
      else work_.emplace(s.net, s.trace, objective.mode);
    }
    void operator()(Stage<T, Device>& s, int n, const Context& ctx) {
      const View<T, Device> moved = adversarial_.view().samples(0, n);
      Context at = ctx;
      at.mode = objective_.mode;
      objective_.attack(s.net, *work_, s.clean(n), moved, s.cross_entropy(), at);
      s.descend(moved, s.cross_entropy(), ctx);
    }
    std::size_t bytes() const { return work_->bytes(); }
    std::vector<optim::State<T>> state() { return {}; }

   private:
    Adversarial objective_;
    Tensor<T, Device> adversarial_;
    std::optional<attack::Workspace<T, Device>> work_;
  };
};

}  // namespace rnx::inline RNX_ISA::train
