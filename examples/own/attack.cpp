// An attack: NI-FGSM (Lin et al. 2020, algorithm 1) in Linf, which looks ahead along its momentum.
// What it remembers lies in the workspace, so that it stays const and one object may attack on
// several threads.
#include <rnx/rnx.hpp>

#include <cstdio>

using namespace rnx;

/// g = decay g + d / mean |d|, d the gradient at x' + step decay g;  x' = project(x' + step
/// sign(g)).
struct NiFgsm {
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
    return "ni-fgsm eps " + exact_text(eps) + " steps " + std::to_string(steps) + " decay " +
           exact_text(decay);
  }
  template <class Loss>
  void operator()(const NetworkBase<>& net, attack::Workspace<>& work, View<const float> x,
                  View<float> adversarial, const Loss& loss, Context ctx = {},
                  std::uint64_t /*draw*/ = 0) const {
    if (!ctx.values) {  // a training step brings its own
      StepValues own{};
      set(own);
      ctx.values = work.set(own);
    }
    Tensor<>& momentum = work.state("momentum");
    momentum.zero();  // it is as the last call left it
    run<cpu>({}, op::copy<float>{.from = x, .to = adversarial});
    const View<float> g = momentum.view().samples(0, x.n),
                      ahead = work.state("ahead").view().samples(0, x.n),
                      dx = work.gradient.view().samples(0, x.n);
    const float far = float(ctx.values->step) * decay;
    for (int k = 0; k < steps; ++k) {
      for (std::size_t i = 0; i < ahead.count(); ++i)
        ahead.data[i] = adversarial.data[i] + far * g.data[i];
      attack::input_gradient(net, work.trace, ahead, loss, ctx, dx);
      run<cpu>({}, op::accumulate_direction<float>{
                       .gradient = View<const float>(dx), .momentum = g, .decay = decay});
      run<cpu>({}, op::attack_step<float>{.clean = x,
                                          .gradient = View<const float>(g),
                                          .adversarial = adversarial,
                                          .values = ctx.values,
                                          .norm = norm::kind,
                                          .fgsm = false});
    }
  }
};

using Net =
    Network<Sequential<Named<"conv", Conv<8, 3, Stride<2>>>, Named<"bn", BatchNorm<>>,
                       Named<"relu", act::Relu>, GlobalAveragePool, Named<"fc", Linear<10>>>,
            Shape<3, 32, 32>>;

int main() {
  Net net(1);
  const data::Images train_set = data::synthetic(data::Split::train, 1000),
                     test_set = data::synthetic(data::Split::test, 200);
  optim::Sgd sgd({.momentum = 0.9});
  const NiFgsm weak{.eps = px(1), .steps = 2}, strong{.eps = px(8)};
  train::fit(net, train_set, train::Adversarial{weak}, sgd,  // it trains,
             {.epochs = 8,
              .batch = 50,
              .seed = 1,
              .augment = {},
              .schedule = optim::OneCycle{.max = 0.2}});
  const eval::Accuracy a = eval::accuracy(net, test_set, strong);  // and it attacks
  const bool same = eval::accuracy(net, test_set, strong).robust() == a.robust();
  std::printf("clean %.2f, NI-FGSM %.2f\n", a.clean(), a.robust());
  return same && a.clean() > 0.3 && a.robust() < 0.5 * a.clean() ? 0 : 1;
}
