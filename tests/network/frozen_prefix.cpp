// Backward that ends above the frozen layers that a network begins with: the gradients of all
// others are the same bits, those of the frozen ones are left alone.
#include "support/batch.hpp"

#include <doctest/doctest.h>

#include <rnx/net.hpp>

using namespace rnx;
namespace {

constexpr int n = 3;

/// The gradients of one training step whose parameters before `first` are not trained. Arena and
/// gradients are dirty, so that what is not computed cannot look like zero.
template <class Net>
std::vector<float> gradients(const Net& net, int first, Context ctx, View<float> dx = {}) {
  const auto x = support::images<float>(n, net.input_dims());
  const auto y = support::labels(n, net.classes());
  auto trace = net.make_trace({.use = Use::train, .capacity = n});
  auto grads = net.make_grads();
  std::fill_n(grads.flat.data(), grads.flat.size(), 0.5f);
  loss::Values<float> values(n);
  for (int pass = 0; pass < 2; ++pass) {
    ctx.first_trained = pass ? first : 0;
    net.forward(trace, x.view(), ctx);
    loss::mean(loss::CrossEntropy{.labels = y.data()}, trace, values);
    net.backward(trace, pass ? dx : View<float>{}, pass ? &grads : nullptr);
  }
  return grads.flat.download();
}

template <class Spec, class In = Shape<3, 8, 8>> void check(Context ctx = {.mode = Mode::train}) {
  const Network<Spec, In> net(4);
  const std::vector<float> whole = gradients(net, 0, ctx);
  const int sites = int(net.graph().nodes.size());
  for (int first = 1; first <= sites; ++first) {
    CAPTURE(first);
    const std::vector<float> part = gradients(net, first, ctx);
    bool same = true, alone = true;
    for (const NamedParameter& p : net.parameter_list())
      for (std::size_t i = p.offset; i < p.offset + p.count; ++i)
        (p.node < first ? alone : same) &= part[i] == (p.node < first ? 0.5f : whole[i]);
    CHECK(same);
    CHECK(alone);
  }
  // a gradient of the images needs the way through all layers
  Tensor<float> dx(n, In::dims), again(n, In::dims);
  CHECK(gradients(net, 0, ctx, dx.view()) == whole);
  CHECK(gradients(net, sites, ctx, again.view()) == whole);
  CHECK(again.download() == dx.download());
}

using Norm = BatchNorm<>;
using Wide = models::BasicBlock<16, 2, Projection<Conv<16, 1, Stride<2>>, Norm>,
                                models::Convolutions<>, Norm, act::Relu>;
template <class... Layers>
using With = Sequential<Conv<8, 3>, Norm, act::Relu, Layers..., GlobalAveragePool, Linear<10>>;
using Squeeze = Sequential<GlobalAveragePool, Linear<4>, act::Relu, Linear<8>, act::Relu>;

}  // namespace

TEST_CASE("residual networks end their backward at any site") {
  check<support::SmallResNet<>>();
  check<support::SmallResNet<>>({.mode = Mode::eval});
  check<With<Wide>>();
}

TEST_CASE("so do gates, forks, concatenations and elastic depth") {
  check<With<Parallel<join::Gate, Identity, Squeeze>>>();
  check<With<Fork<Sequential<Conv<4, 3>, act::Relu>>, Conv<8, 3>>>();
  check<With<Parallel<join::Concat, Conv<4, 1>, Identity, Sequential<Conv<4, 3>, Norm>>>>();
  using Block = models::BasicBlock<8, 1, Identity, models::Convolutions<>, Norm, act::Relu>;
  using Elastic = With<Named<"stage", Repeat<3, Block, Block, 1>>>;
  const Network<Elastic, Shape<3, 8, 8>> net(1);
  for (const int depth : {1, 2, 3}) {
    const Subnet subnet = net.make_subnet({{"*stage", "depth", depth}});
    check<Elastic>({.mode = Mode::train, .subnet = &subnet});
  }
}

TEST_CASE("so do quantizers and convolutions of several bases") {
  check<With<Conv<8, 3, quant::MultiBit<2>, quant::MultiBitActivation<2>>, Norm,
             Conv<8, 3, quant::Sign, quant::SignActivation>>>();
}
