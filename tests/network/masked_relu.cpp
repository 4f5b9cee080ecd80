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
  const std::vector<double> bare = run({}, a);
  CHECK(bare == run({Keep::every(Kind::convolution), Keep::every(Kind::activation)}, b));
  CHECK(a.download() == b.download());
  // a seed stands between operations that are fused without it: sums over samples, in doubles here,
  // are formed in another order
  const std::vector<double> seeded = run({Keep::every(Kind::activation).seeded()}, b);
  double size = 0, worst = 0;
  for (std::size_t i = 0; i < bare.size(); ++i) {
    size = std::max(size, std::abs(bare[i]));
    worst = std::max(worst, std::abs(bare[i] - seeded[i]));
  }
  CHECK(worst < 1e-11 * size);
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

namespace {

/// Blocks of 8 and of 13 channels: whole vectors, and a rest.
template <class Act>
using Blocks =
    Sequential<Conv<8, 3>, BatchNorm<>, Act,
               models::BasicBlock<8, 1, Identity, models::Convolutions<>, BatchNorm<>, Act>,
               models::BasicBlock<
                   13, 2, models::ProjectionShortcut<13, 2, models::Convolutions<>, BatchNorm<>>,
                   models::Convolutions<>, BatchNorm<>, Act>,
               GlobalAveragePool, Linear<10>>;
template <class Act> using Small = Network<Blocks<Act>, Shape<3, 9, 7>>;

Tensor<float> images(int n) {
  Tensor<float> x(n, {3, 9, 7});
  for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = float(i * 37 % 97) / 97;
  return x;
}
/// Logits, input gradient and gradients of a pass, one behind the other.
template <class Act>
std::vector<float> pass_of(Small<Act>& net, const Tensor<float>& x, Mode mode) {
  auto trace = net.make_trace({.use = Use::train, .capacity = x.n()});
  auto grads = net.make_grads();
  Tensor<float> dx(x.n(), {3, 9, 7});
  net.forward(trace, x.view(), {.mode = mode});
  std::vector<float> all = to_host(trace.logits());
  for (std::size_t i = 0; i < all.size(); ++i) trace.logits_gradient().data[i] = float(i % 3) - 1;
  net.backward(trace, dx.view(), &grads);
  for (const auto& more : {dx.download(), grads.flat.download()})
    all.insert(all.end(), more.begin(), more.end());
  return all;
}
template <class Act> std::vector<float> logits_of(const Small<Act>& net, const Tensor<float>& x) {
  auto trace = net.make_trace({.use = Use::infer, .capacity = x.n(), .eval_only = true});
  net.forward(trace, x.view(), {});
  return to_host(trace.logits());
}
void set_every_third(Small<act::MaskedRelu>& net, std::size_t from) {
  for (const NamedParameter& b : net.graph().buffers) {
    if (!b.name.ends_with("mask")) continue;
    std::vector<float> mask(b.count);
    for (std::size_t i = 0; i < b.count; ++i) mask[i] = (i + from) % 3 == 0;
    net.set(b.name, mask);
  }
}

}  // namespace

TEST_CASE("masks of ones give plain ReLU's bits") {
  Small<act::Relu> plain(3);
  Small<act::MaskedRelu> masked(3);
  const Tensor<float> x = images(5);
  CHECK(logits_of(masked, x) == logits_of(plain, x));
  for (const Mode mode : {Mode::eval, Mode::train})
    CHECK(pass_of(masked, x, mode) == pass_of(plain, x, mode));
  Network<act::MaskedRelu, Shape<1, 1, 1>> zero;
  const auto minus = Tensor<float>::from_nchw(1, {1, 1, 1}, std::vector<float>{-0.0f});
  auto trace = zero.make_trace({});
  zero.forward(trace, minus.view(), {});
  CHECK(!std::signbit(to_host(trace.logits())[0]));
}

TEST_CASE("fused masked ReLUs compute their formula, with the masks of the day") {
  Small<act::MaskedRelu> net(3);
  const Tensor<float> x = images(3);
  auto trace = net.make_trace({.use = Use::train,
                               .capacity = 3,
                               .keep = {Keep::every(Kind::activation), Keep::every(Kind::join),
                                        Keep::every(Kind::batch_norm)}});
  const std::vector<float> ones = logits_of(net, x);
  for (const std::size_t from : {0, 1}) {
    set_every_third(net, from);
    net.forward(trace, x.view(), {.mode = Mode::train});
    bool right = true;
    for (const auto& a : trace.activations()) {
      if (a.kind != Kind::activation) continue;
      const Node& node = net.graph().nodes[std::size_t(a.node)];
      const auto before = std::find_if(trace.activations().begin(), trace.activations().end(),
                                       [&](const auto& b) { return b.node == node.inputs[0]; });
      REQUIRE(before != trace.activations().end());
      const std::vector<float> v = to_host(before->value), y = to_host(a.value),
                               mask = net.get(node.path + ".mask").values;
      const std::size_t pixels = node.out.h * node.out.w, c = node.out.c;
      for (std::size_t i = 0; i < y.size(); ++i) {
        const bool is = mask[i % c * pixels + i / c % pixels] != 0;
        right = right && y[i] == (is && v[i] <= 0 ? 0 : v[i]);
      }
    }
    CHECK(right);
    const std::uint64_t packed = net.preparations();
    net.commit_statistics(trace);
    net.forward(trace, x.view(), {.mode = Mode::train});
    CHECK(net.preparations() == packed);  // statistics are nothing that is prepared
  }
  set_every_third(net, 2);
  CHECK(logits_of(net, x) != ones);
}
