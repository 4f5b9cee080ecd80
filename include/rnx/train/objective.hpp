// What a training step computes. An objective is any struct with
//   int replays() const                          how often each batch is used (1, but for Free)
//   void set(StepValues&) const                  writes its attack's radius and step: calls the
//   attack's set()
//   template <class T, class Device> auto bind(Stage<T, Device>&) const
// bind returns the bound form, anything that is called with (Stage<T, Device>&, int n, const
// Context&): a lambda, or an object with memory of its own. A call leaves parameter gradients in
// stage.grads, per-sample losses in stage.values and the logits of all n samples in stage.trace,
// and commits batch statistics. Optional: describe() of the objective (a line with all options that
// bits depend on, kept by checkpoints), bytes() of the bound form (memory of its traces) and
// state() (std::vector<optim::State<T>>, part of checkpoints).
#pragma once

#include "rnx/eval/accuracy.hpp"
#include "rnx/optim.hpp"

namespace rnx::inline RNX_ISA::train {

/// Memory that every objective works on, allocated once.
template <class T, class Device> struct Stage {
  Stage(NetworkBase<T, Device>& network, int batch_size, double label_smoothing)
      : net(network),
        batch(batch_size),
        smoothing(label_smoothing),
        images(batch, net.input_dims()),
        labels(batch, net.classes()),
        grads(net.make_grads()),
        values(batch),
        trace(net.make_trace({.use = Use::train, .capacity = batch})) {}

  NetworkBase<T, Device>& net;
  int batch;
  double smoothing;
  Tensor<T, Device> images;  ///< (n, c, h, w) in [0, 1]
  loss::Labels<Device> labels;
  Grads<T, Device> grads;
  loss::Values<T, Device> values;  ///< per-sample losses of the last step
  Trace<T, Device> trace;          ///< of the forward whose logits are counted

  loss::CrossEntropy cross_entropy() const {
    return {.labels = labels.data(), .smoothing = smoothing};
  }
  View<const T, Device> clean(int n) const { return images.view().samples(0, n); }
  /// Forward, mean loss, backward and the commit of statistics at x. dx may be empty.
  template <class Loss>
  void descend(View<const T, Device> x, const Loss& loss, const Context& ctx,
               View<T, Device> dx = {}) {
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
  std::string describe() const { return "natural"; }

  template <class T, class Device> auto bind(Stage<T, Device>&) const {
    return [](Stage<T, Device>& s, int n, const Context& ctx) {
      s.descend(s.clean(n), s.cross_entropy(), ctx);
    };
  }
};

/// Cross-entropy on adversarial images only (Madry et al. 2018; with Fgsm and Start::random: Wong
/// et al. 2020). The attack sees the model in `mode`; eps and step are the policy's, random starts
/// are keyed by its seed plus the run's.
template <class Attack = attack::Pgd<>> struct Adversarial {
  Attack attack{};
  Mode mode = Mode::eval;

  int replays() const { return 1; }
  void set(StepValues& v) const { attack.set(v); }
  std::string describe() const {
    const std::string seen = mode == Mode::eval ? " in eval mode" : " in train mode";
    if constexpr (requires { attack.describe(); })
      return "adversarial " + attack.describe() + seen;
    else
      return "adversarial" + seen;
  }

  template <class T, class Device> class Bound {
   public:
    // in eval mode a few samples at a time keep an attack's activations in cache; in train mode
    // batch norm needs the whole batch, and the training trace is free until the step's own forward
    Bound(Stage<T, Device>& s, const Adversarial& objective)
        : objective_(objective),
          adversarial_(s.batch, s.net.input_dims()) {
      if (objective.mode == Mode::eval)
        work_.emplace(s.net, s.batch);
      else
        work_.emplace(s.net, s.trace, objective.mode);
    }
    void operator()(Stage<T, Device>& s, int n, const Context& ctx) {
      const View<T, Device> moved = adversarial_.view().samples(0, n);
      Context at = ctx;
      at.mode = objective_.mode;
      objective_.attack(s.net, *work_, s.clean(n), moved, s.cross_entropy(), at);
      s.descend(moved, s.cross_entropy(), ctx);
    }
    std::size_t bytes() const { return work_->bytes(); }

   private:
    Adversarial objective_;
    Tensor<T, Device> adversarial_;
    std::optional<attack::Workspace<T, Device>> work_;
  };
  template <class T, class Device> auto bind(Stage<T, Device>& s) const {
    return Bound<T, Device>(s, *this);
  }
};

template <class Attack> Adversarial(Attack) -> Adversarial<Attack>;
template <class Attack> Adversarial(Attack, Mode) -> Adversarial<Attack>;

/// Whether a type has the form that the top of this file states.
template <class Objective, class T, class Device>
constexpr bool is_objective = requires(const Objective& o, Stage<T, Device>& s, StepValues& values,
                                       const Context& ctx) {
  { o.replays() } -> std::convertible_to<int>;
  o.set(values);
  o.bind(s)(s, 1, ctx);
};

/// The objective's bound form, or one sentence from the compiler.
template <class Objective, class T, class Device>
auto bind_objective(const Objective& objective, Stage<T, Device>& stage) {
  constexpr bool fits = is_objective<Objective, T, Device>;
  static_assert(fits,
                "rnx: a training objective has int replays() const, void set(StepValues&) const "
                "and auto bind(Stage<T, Device>&) const, "
                "a template whose result is called with (Stage<T, Device>&, int n, const "
                "Context&); see train/objective.hpp");
  if constexpr (fits)
    return objective.bind(stage);
  else
    return [](Stage<T, Device>&, int, const Context&) {};
}

}  // namespace rnx::inline RNX_ISA::train
