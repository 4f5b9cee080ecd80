// Probe: a predictor MLP on 75 features (paper 004, section 4.5) trained with the mean squared
// error.
#include "support/gradient_check.hpp"

#include <rnx/models.hpp>
#include <rnx/optim.hpp>
#include <rnx/loss.hpp>

using namespace rnx;

TEST_CASE("predictor MLP on Shape<75>: gradients, and training lowers the error") {
  using Small = Network<models::Mlp<2, act::Relu, 12, 12>, Shape<75>, cpu, precision::Double>;
  Small small(1);
  support::GradientCheck{.n = 4}(small);

  Network<models::Mlp<2, act::Relu, 400, 400, 400, 400, 400, 400>, Shape<75>> net(1);
  CHECK(net.parameter_count() == 75 * 400 + 400 + 5 * (400 * 400 + 400) + 400 * 2 + 2);
  const int n = 64;
  Tensor<float> x(n, {75, 1, 1}), t(n, {2, 1, 1});
  const rng::Stream random(2, Purpose::test);
  for (int i = 0; i < n; ++i) {
    float sum = 0;
    for (int k = 0; k < 75; ++k) sum += x.data()[i * 75 + k] = random.uniform(i * 75 + k) < 0.3;
    t.data()[2 * i] = 0.5f + sum / 200;
    t.data()[2 * i + 1] = 0.4f - sum / 300;
  }
  auto trace = net.make_trace({.use = Use::train, .capacity = n});
  auto grads = net.make_grads();
  optim::Adam<float> adam({.weight_decay = 1e-4});
  adam.add(net, grads);
  optim::StepState<> state({.lr = 1e-3});
  loss::Values<float> values(n);
  const loss::Mse mse{std::as_const(t).view()};
  double first = 0, last = 0;
  for (int step = 0; step < 60; ++step) {
    net.forward(trace, std::as_const(x).view(), {.mode = Mode::train});
    last = loss::mean(mse, trace, values);
    if (step == 0) first = last;
    grads.zero();
    net.backward(trace, {}, &grads);
    adam.step(state.get());
  }
  CHECK(last < 0.02 * first);
}
