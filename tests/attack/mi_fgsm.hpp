// An attack of a user's own: MI-FGSM (Dong et al. 2018, algorithm 1) in Linf. Its momentum lies in
// the workspace, so that it stays const and one object may attack on several threads.
#pragma once

#include <rnx/attack.hpp>

namespace example {

using namespace rnx;

/// g = decay g + gradient / mean |gradient|;  x' = project(x' + step sign(g)).
struct MomentumFgsm {
  using norm = rnx::norm::Linf;
  Rational eps = px(8);
  int steps = 10;
  float decay = 1;

  int passes() const { return steps; }
  void set(StepValues& v) const {
    v.eps = eps;
    v.step = eps / steps;
  }
  std::string describe() const {
    return "mi-fgsm eps " + exact_text(eps) + " steps " + std::to_string(steps) + " decay " +
           exact_text(decay);
  }
  template <class Loss>
  void operator()(const NetworkBase<>& net, attack::Workspace<>& work, View<const float> x,
                  View<float> adversarial, const Loss& loss, Context ctx = {},
                  std::uint64_t = 0) const {
    if (!ctx.values) {  // a training step brings its own
      StepValues own{};
      set(own);
      ctx.values = work.set(own);
    }
    Tensor<>& momentum = work.state("momentum");
    momentum.zero();
    run<cpu>({}, op::copy<float>{.from = x, .to = adversarial});
    const View<float> g = momentum.view().samples(0, x.n),
                      dx = work.gradient.view().samples(0, x.n);
    for (int k = 0; k < steps; ++k) {
      attack::input_gradient(net, work.trace, adversarial, loss, ctx, dx);
      const std::size_t count = x.dims.count();
      for (std::size_t i = 0; i < dx.count(); i += count) {
        double sum = 0;
        for (std::size_t j = i; j < i + count; ++j) sum += std::abs(dx.data[j]);
        for (std::size_t j = i; j < i + count; ++j)
          g.data[j] = decay * g.data[j] + dx.data[j] * float(double(count) / sum);
      }
      run<cpu>({}, op::attack_step<float>{.clean = x,
                                          .gradient = View<const float>(g),
                                          .adversarial = adversarial,
                                          .values = ctx.values,
                                          .norm = norm::kind,
                                          .fgsm = false});
    }
  }
};

}  // namespace example
