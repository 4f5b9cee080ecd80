// TRADES (Zhang et al. 2019, eq. 5):  mean over the batch of  CE(f(x), y) + beta KL(f(x) || f(x')),
//                                     x' from a PGD on the divergence.
// Gradients flow through both forwards. The attack sees the model in eval mode. Running statistics
// take the clean batch, then the adversarial one, once each (the published code runs the clean
// forward twice and folds it in twice).
#pragma once

#include "rnx/train/objective.hpp"

namespace rnx::inline RNX_ISA::train {

template <class Norm = norm::Linf> struct Trades {
  attack::Pgd<Norm> attack{.eps = px(8), .steps = 10, .start = attack::Start::gaussian};
  double beta = 6;

  int replays() const { return 1; }
  void set(StepValues& v) const { attack.set(v); }
  std::string describe() const {
    return "trades " + attack.describe() + " beta " + exact_text(beta);
  }

  template <class T, class Device> class Bound {
   public:
    Bound(Stage<T, Device>& s, const Trades& objective)
        : objective_(objective),
          adversarial_(s.batch, s.net.input_dims()),
          logits_(s.batch, s.net.graph().nodes.back().out),
          work_(s.net, s.batch),
          moved_(s.net.make_trace({.use = Use::train, .capacity = s.batch})),
          still_(s.net.make_trace({.use = Use::infer, .capacity = s.batch, .eval_only = true})) {
      loss::expect(objective.beta >= 0 && std::isfinite(objective.beta),
                   "TRADES: beta must not be negative", objective.beta);
    }
    void operator()(Stage<T, Device>& s, int n, const Context& ctx) {
      const Stream stream{ctx.stream};
      const View<const T, Device> x = s.clean(n);
      const View<T, Device> moved = adversarial_.view().samples(0, n),
                            target = logits_.view().samples(0, n);
      Context at = ctx;
      at.mode = Mode::eval;
      const View<const T, Device> z = s.net.forward(still_, x, at);
      run<Device>(stream, op::copy<T>{.from = z, .to = target});
      objective_.attack(s.net, work_, x, moved, loss::Kl<T, Device>{.teacher_logits = target}, at);

      s.grads.zero(stream);
      s.net.forward(s.trace, x, ctx);
      s.net.forward(moved_, moved, ctx);
      const double weight = loss::batchmean(n);
      const View<const T, Device> z_clean = s.trace.logits(), z_moved = moved_.logits();
      // values of both terms on the clean trace; on the adversarial one the divergence gives its
      // gradient only
      loss::sum(loss::term(1, s.cross_entropy()),
                loss::term(objective_.beta,
                           loss::Kl<T, Device>{.teacher_logits = z_moved,
                                               .direction = loss::Direction::student_to_teacher}))(
          s.trace, s.values.call(n, weight));
      loss::Kl<T, Device>{.teacher_logits = z_clean}(
          moved_, loss::Call<T>{.weight = objective_.beta * weight});
      s.net.backward(s.trace, {}, &s.grads);
      s.net.backward(moved_, {}, &s.grads);
      s.net.commit_statistics(s.trace);
      s.net.commit_statistics(moved_);
    }
    std::size_t bytes() const { return work_.bytes() + moved_.bytes() + still_.bytes(); }

   private:
    Trades objective_;
    Tensor<T, Device> adversarial_, logits_;
    attack::Workspace<T, Device> work_;
    Trace<T, Device> moved_, still_;
  };
  template <class T, class Device> auto bind(Stage<T, Device>& s) const {
    return Bound<T, Device>(s, *this);
  }
};
template <class Norm> Trades(attack::Pgd<Norm>) -> Trades<Norm>;
template <class Norm> Trades(attack::Pgd<Norm>, double) -> Trades<Norm>;

}  // namespace rnx::inline RNX_ISA::train
