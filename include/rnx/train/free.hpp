// Free adversarial training (Shafahi et al. 2019): one backward gives input and weight gradients;
// each batch is replayed m times, and the perturbation is one buffer of batch shape that starts at
// zero and persists across batches (paper 002 says "reset": its code does not).
#pragma once

#include "rnx/train/cpu.hpp"
#include "rnx/train/objective.hpp"

namespace rnx::inline RNX_ISA::train {

struct Free {
  Rational eps = px(8);
  int m = 8;  ///< replays of a batch; rates are stepped per replay

  int replays() const { return m; }
  void set(StepValues& v) const {
    v.eps = eps;
    v.step = eps;
  }

  std::string describe() const {
    return "free eps " + exact_text(eps) + " replays " + std::to_string(m);
  }

  /// Gradients at clip(x + delta), then a step of length eps of the perturbation.
  template <class T, class Device> class Bound {
   public:
    Bound(Stage<T, Device>& s, const Free& objective)
        : delta(s.batch, s.net.input_dims()),
          moved_(s.batch, s.net.input_dims()),
          gradient_(s.batch, s.net.input_dims()) {
      require<UsageError>(objective.m > 0, "Free: the number of replays must be positive");
      attack::check_radius<norm::Linf>(objective.eps, objective.eps);
    }
    void operator()(Stage<T, Device>& s, int n, const Context& ctx) {
      const std::size_t count = n * s.net.input_dims().count();
      const Stream stream{ctx.stream};
      run<Device>(
          stream,
          op::perturb<T>{
              .count = count, .x = s.images.data(), .delta = delta.data(), .y = moved_.data()});
      s.descend(std::as_const(moved_).view().samples(0, n), s.cross_entropy(), ctx,
                gradient_.view().samples(0, n));
      run<Device>(stream, op::perturbation_step<T>{.count = count,
                                                   .values = ctx.values,
                                                   .gradient = gradient_.data(),
                                                   .delta = delta.data()});
    }
    std::vector<optim::State<T>> state() {
      const Dims d = delta.dims();
      return {
          {"delta", {delta.n(), d.h, d.w, d.c}, delta.data(), std::size_t(delta.n()) * d.count()}};
    }
    /// Of the last replay.
    const Tensor<T, Device>& input_gradient() const { return gradient_; }

    Tensor<T, Device> delta;  ///< the perturbation: persists

   private:
    Tensor<T, Device> moved_, gradient_;
  };
  template <class T, class Device> auto bind(Stage<T, Device>& s) const {
    return Bound<T, Device>(s, *this);
  }
};

}  // namespace rnx::inline RNX_ISA::train
