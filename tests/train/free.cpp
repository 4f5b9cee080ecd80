// Probe: one backward yields input and weight gradients together, replayed eight times with a
// persistent perturbation (Free AT).
#include "support/batch.hpp"
#include "support/gradient_check.hpp"

#include <rnx/train.hpp>

using namespace rnx;
using Net = Network<support::SmallResNet<>, Shape<3, 8, 8>, cpu, precision::Double>;

TEST_CASE("Free AT: both gradients of one backward, eight replays, a perturbation that persists") {
  Net net(1), twin(1);
  const int n = 4, m = 8;
  optim::Sgd<double> sgd({.momentum = 0.9, .weight_decay = 1e-4}),
      other({.momentum = 0.9, .weight_decay = 1e-4});
  train::Step<double, cpu> step(net, sgd, train::Free{.eps = px(8), .m = m}, n);
  const auto perturbation = [&] {
    const double* from = step.stage().state("delta");
    return std::vector<double>(from, from + n * 192);
  };
  // the twin does the same with two backwards: one for the input, one for the weights
  auto trace = twin.make_trace({.use = Use::train, .capacity = n});
  auto grads = twin.make_grads();
  other.add(twin, grads);
  optim::StepState<> state;
  std::vector<double> delta(n * 192);
  Tensor<double> x(n, {3, 8, 8}), dx(n, {3, 8, 8});
  const double eps = 8.0 / 255;
  for (int batch = 0; batch < 2; ++batch) {
    const auto clean = support::images<double>(n, {3, 8, 8}, 10 + batch);
    const auto y = support::labels(n, 10, batch);
    step.images() = clean;
    step.labels().upload(y);
    if (batch == 1) CHECK(perturbation() == delta);  // not reset
    for (int replay = 0; replay < m; ++replay) {
      const StepValues values{.lr = 0.02 + 0.001 * replay, .momentum = 0.9};
      state.set(values);
      step.set(values);
      step(n);

      for (std::size_t i = 0; i < delta.size(); ++i)
        x.data()[i] = std::clamp(clean.data()[i] + delta[i], 0.0, 1.0);
      twin.forward(trace, std::as_const(x).view(), {.mode = Mode::train});
      const loss::CrossEntropy ce{.labels = y.data()};
      ce(trace, loss::Call<double>{.weight = 1.0 / n});
      twin.backward(trace, dx.view(), nullptr);
      CHECK(to_host(step.stage().input_gradient("moved")) == dx.download());
      CHECK_THROWS_AS(twin.backward(trace, dx.view(), nullptr),
                      StateError);  // the arena has been reused
      twin.forward(trace, std::as_const(x).view(), {.mode = Mode::train});
      grads.zero();
      ce(trace, loss::Call<double>{.weight = 1.0 / n});
      twin.backward(trace, {}, &grads);
      CHECK(step.grads().flat.download() == grads.flat.download());
      twin.commit_statistics(trace);
      for (std::size_t i = 0; i < delta.size(); ++i) {
        const double g = dx.data()[i];
        delta[i] = std::clamp(delta[i] + eps * ((g > 0) - (g < 0)), -eps, eps);
      }
      other.step(state.get());
      CHECK(support::parameters(net) == support::parameters(twin));
    }
  }
  support::GradientCheck{.n = 4}(net);
}

TEST_CASE("a step refuses what would be wrong") {
  Net net(1);
  auto trace = net.make_trace({.use = Use::train, .capacity = 2});
  auto grads = net.make_grads();
  const auto x = support::images<double>(2, {3, 8, 8});
  CHECK_THROWS_AS(net.backward(trace, {}, &grads), StateError);  // no forward yet
  net.forward(trace, x.view(), {});
  CHECK_THROWS_AS(net.commit_statistics(trace), StateError);  // eval mode has no batch statistics
  net.mutable_parameters();
  CHECK_THROWS_WITH_AS(net.backward(trace, {}, &grads),
                       "backward: a parameter changed since the trace's forward", StateError);
  auto infer = net.make_trace({.capacity = 2});
  net.forward(infer, x.view(), {});
  CHECK_THROWS_AS(net.backward(infer, {}, nullptr), StateError);
  const auto three = support::images<double>(3, {3, 8, 8});
  CHECK_THROWS_AS(net.forward(trace, three.view(), {}), ShapeError);
}

TEST_CASE("a NaN in a loss stops the training with one sentence") {
  Network<support::SmallResNet<>, Shape<3, 8, 8>> net(1);
  net.set("fc.bias", std::vector<float>(10, std::numeric_limits<float>::quiet_NaN()));
  data::Images images{.n = 4,
                      .dims = {3, 8, 8},
                      .classes = 10,
                      .pixels = std::vector<std::uint8_t>(4 * 192),
                      .labels = {0, 1, 2, 3},
                      .class_names = {}};
  optim::Sgd<float> sgd({.momentum = 0.9});
  CHECK_THROWS_AS(train::fit<cpu>(net, images, train::Natural{}, sgd,
                                  {.epochs = 1,
                                   .batch = 4,
                                   .augment = {},
                                   .schedule = [](long, long) { return optim::Rates{0.1}; }}),
                  NumericError);
}
