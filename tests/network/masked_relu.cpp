// Probe: a masked-ReLU ResNet-18 whose 17 post-ReLU maps are read at once and receive injected
// gradients.
#include "support/gradient_check.hpp"
#include "support/sanitizers.hpp"

#include <rnx/models.hpp>

using namespace rnx;
using Net = Network<models::ResNet18<10, models::Convolutions<>, BatchNorm<>, act::MaskedRelu>,
                    Shape<3, 16, 16>, cpu, precision::Double>;

namespace {
void set_masks(Net& net) {  // about one ReLU in ten
  for (const NamedParameter& b : net.graph().buffers) {
    if (!b.name.ends_with("mask")) continue;
    const rng::Stream random(1, Purpose::test, b.count);
    std::vector<double> mask;
    for (std::size_t i = 0; i < b.count; ++i) mask.push_back(random.uniform(i) < 0.1);
    net.set(b.name, mask);
  }
}
/// sum over maps and elements of q sin(y): the gradient q cos(y) goes to the seed.
double mean_sine(Trace<double>& t) {
  double sum = 0;
  for (const auto& a : t.activations()) {
    const double q = 1.0 / a.value.count();
    for (std::size_t i = 0; i < a.value.count(); ++i) {
      sum += q * std::sin(a.value.data[i]);
      a.seed.data[i] += q * std::cos(a.value.data[i]);
    }
  }
  return sum;
}
}  // namespace

TEST_CASE("masked-ReLU ResNet-18: 17 maps read and seeded at once, gradients against differences" *
          doctest::skip(support::sanitized)) {
  Net net(5);
  set_masks(net);
  CHECK(net.graph().buffers.size() == 2 + 40 + 17);
  auto trace = net.make_trace(
      {.use = Use::train, .capacity = 2, .keep = {Keep::every(Kind::activation).seeded()}});
  REQUIRE(trace.activations().size() == 17);
  CHECK(trace.activations()[0].path == "relu");
  CHECK(trace.activations()[16].path == "layer4.1.relu2");
  support::GradientCheck g{
      .n = 2,
      .ctx = {.mode = Mode::eval},
      .keep = {Keep::every(Kind::activation).seeded()},
      .extra = mean_sine,
      .only = {"conv1.weight", "layer1.0.bn2.weight", "layer2.0.downsample.0.weight",
               "layer3.1.conv1.weight", "layer4.1.bn2.bias", "fc.*"}};
  g(net);
}

TEST_CASE("keeping activations changes no bit") {
  Net net(5);
  set_masks(net);
  Tensor<double> x(2, {3, 16, 16}), a(2, {3, 16, 16}), b(2, {3, 16, 16});
  for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = double(i % 97) / 97;
  const auto run = [&](std::vector<Keep> keep, Tensor<double>& dx) {
    auto trace = net.make_trace({.use = Use::train, .capacity = 2, .keep = std::move(keep)});
    auto grads = net.make_grads();
    net.forward(trace, std::as_const(x).view(), {.mode = Mode::train});
    std::vector<double> out = to_host(trace.logits());
    for (int i = 0; i < 20; ++i) trace.logits_gradient().data[i] = i % 3 - 1;
    net.backward(trace, dx.view(), &grads);
    const auto g = grads.flat.download();
    out.insert(out.end(), g.begin(), g.end());
    return out;
  };
  CHECK(run({}, a) ==
        run({Keep::every(Kind::convolution), Keep::every(Kind::activation).seeded()}, b));
  CHECK(a.download() == b.download());
}

TEST_CASE("a masked ReLU follows its mask") {
  Network<act::MaskedRelu, Shape<2, 1, 2>> net;
  net.set("mask", std::vector<float>{1, 0, 0, 1});
  const auto x = Tensor<float>::from_nchw(1, {2, 1, 2}, std::vector<float>{-1, -2, -3, -4});
  auto trace = net.make_trace({});
  net.forward(trace, x.view(), {});
  const std::vector<float> y = to_host(trace.logits());  // (h, w, c): channels innermost
  CHECK(y == std::vector<float>{0, -3, -2, 0});
}
