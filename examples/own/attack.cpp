// An attack: MI-FGSM (Dong et al. 2018, algorithm 1) in Linf. Its momentum lies in the workspace,
// so that it stays const and one object may attack on several threads.
#include <rnx/rnx.hpp>

#include <cstdio>

using namespace rnx;

/// g = decay g + gradient / mean |gradient|;  x' = project(x' + step sign(g)).
struct MiFgsm {
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
                      dx = work.gradient.view().samples(0, x.n);
    for (int k = 0; k < steps; ++k) {
      attack::input_gradient(net, work.trace, adversarial, loss, ctx, dx);
      const std::size_t count = x.dims.count();
      for (std::size_t i = 0; i < dx.count(); i += count) {
        double sum = 0;
        for (std::size_t j = i; j < i + count; ++j) sum += std::abs(dx.data[j]);
        const float scale = sum > 0 ? float(double(count) / sum) : 1.0f;
        for (std::size_t j = i; j < i + count; ++j)
          g.data[j] = decay * g.data[j] + dx.data[j] * scale;
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

using Net =
    Network<Sequential<Named<"conv", Conv<8, 3, Stride<2>>>, Named<"bn", BatchNorm<>>,
                       Named<"relu", act::Relu>, GlobalAveragePool, Named<"fc", Linear<10>>>,
            Shape<3, 32, 32>>;

int main() {
  Net net(1);
  const data::Images train_set = data::synthetic(data::Split::train, 1000),
                     test_set = data::synthetic(data::Split::test, 200);
  optim::Sgd sgd({.momentum = 0.9});
  const MiFgsm weak{.eps = px(1), .steps = 2}, strong{.eps = px(8)};
  train::fit(net, train_set, train::Adversarial{weak}, sgd,  // it trains,
             {.epochs = 8,
              .batch = 50,
              .seed = 1,
              .augment = {},
              .schedule = optim::OneCycle{.max = 0.2}});
  const eval::Accuracy a = eval::accuracy(net, test_set, strong);  // and it attacks
  const bool same = eval::accuracy(net, test_set, strong).robust() == a.robust();
  std::printf("clean %.2f, MI-FGSM %.2f\n", a.clean(), a.robust());
  return same && a.clean() > 0.3 && a.robust() < 0.5 * a.clean() ? 0 : 1;
}
