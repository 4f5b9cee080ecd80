// Every layer and composition: backward against central differences, in train and eval mode.
#include "support/gradient_check.hpp"

#include <rnx/models.hpp>

using namespace rnx;
namespace {
template <class Spec, class In>
void check(Context ctx = {.mode = Mode::train}, double scale = 1, int n = 3) {
  Network<Spec, In, cpu, precision::Double> net(3);
  // running statistics away from their start, so that eval mode is not the identity
  for (const NamedParameter& b : net.graph().buffers)
    for (std::size_t i = 0; i < b.count; ++i)
      if (b.name.find("mask") == std::string::npos)
        net.mutable_buffers()[b.offset + i] = 0.7 + 0.1 * double(i % 5);
  support::GradientCheck g{.n = n, .ctx = ctx, .scale = scale};
  g(net);
}
template <class Spec, class In> void both(double scale = 1) {
  check<Spec, In>({.mode = Mode::train}, scale);
  check<Spec, In>({.mode = Mode::eval}, scale);
}
}  // namespace

TEST_CASE("convolution: stride, padding, groups, bias") {
  check<Conv<5, 3>, Shape<3, 7, 6>>();
  check<Conv<17, 3, Stride<2>, Bias<true>>, Shape<5, 8, 8>>();
  check<Conv<6, 5, Stride<2>, Pad<1>, Groups<2>, Bias<true>>, Shape<4, 9, 8>>();
  check<Conv<4, 1, Stride<2>>, Shape<6, 5, 5>>();
  check<Conv<33, 2, Pad<0>>, Shape<17, 4, 3>>();
}
TEST_CASE("depthwise convolution") {
  check<Depthwise<3>, Shape<5, 6, 6>>();
  check<Depthwise<5, Stride<2>, Bias<true>>, Shape<19, 7, 7>>();
  check<Depthwise<7>, Shape<16, 8, 5>>();
}
TEST_CASE("linear") {
  check<Linear<10>, Shape<75>>();
  check<Linear<7, false>, Shape<3, 4, 5>>();
}
TEST_CASE("batch norm in both modes and with several paths") {
  both<BatchNorm<>, Shape<5, 4, 3>>();
  check<BatchNorm<3, Epsilon<Ratio<1, 1000>>>, Shape<5, 4, 3>>({.mode = Mode::train, .path = 2});
  check<BatchNorm<2>, Shape<5, 4, 3>>({.mode = Mode::eval, .path = 1});
}
TEST_CASE("activations") {
  check<act::Relu, Shape<5, 3, 3>>();
  check<act::Relu6, Shape<5, 3, 3>>({}, 8);
  check<act::HardSwish, Shape<5, 3, 3>>({}, 5);
  check<act::HardSigmoid, Shape<5, 3, 3>>({}, 5);
  check<act::MaskedRelu, Shape<5, 3, 3>>();
}
TEST_CASE("pooling, normalisation, dropout, padded shortcut") {
  check<MaxPool<2>, Shape<3, 6, 6>>();
  check<MaxPool<3, 2, 1>, Shape<5, 7, 7>>();
  check<AveragePool<2>, Shape<3, 6, 6>>();
  check<AveragePool<3, 2, 1>, Shape<5, 7, 7>>();
  check<GlobalAveragePool, Shape<5, 4, 4>>();
  check<Normalize, Shape<3, 4, 4>>();
  both<Dropout<Ratio<1, 3>>, Shape<5, 4, 4>>();
  check<PadShortcut<8, 2>, Shape<3, 5, 5>>();
}
TEST_CASE("compositions") {
  using Body =
      Sequential<Named<"conv1", Conv<4, 3>>, Named<"bn1", BatchNorm<>>, Named<"relu", act::Relu>,
                 Named<"conv2", Conv<4, 3>>, Named<"bn2", BatchNorm<>>>;
  both<Residual<Body, Identity, act::Relu>, Shape<4, 5, 5>>();
  both<Residual<Body, Projection<Conv<4, 1>, BatchNorm<>>, act::Relu>, Shape<3, 5, 5>>();
  check<Repeat<3, Residual<Body>>, Shape<4, 5, 5>>();
  check<Parallel<join::Concat, Conv<3, 3>, Identity, Sequential<Conv<2, 1>, act::Relu>>,
        Shape<4, 5, 5>>();
  check<Parallel<join::Add, Identity, Identity, Conv<4, 3>>, Shape<4, 5, 5>>();
  check<Sequential<Fork<Named<"side", Linear<3>>>, Conv<2, 1>>, Shape<4, 3, 3>>();
  check<models::SqueezeExcite<8>, Shape<8, 4, 4>>();
  both<models::InvertedResidual<8, 24, 8, 5, 1, true>, Shape<8, 6, 6>>();
  both<models::InvertedResidual<8, 24, 12, 3, 2, false>, Shape<8, 6, 6>>();
}
TEST_CASE("a fork's side head is seeded through the trace") {
  Network<Sequential<Fork<Named<"side", Linear<3>>>, Conv<2, 1>>, Shape<4, 3, 3>, cpu,
          precision::Double>
      net(1);
  support::GradientCheck g{.keep = {Keep::at("0.side").seeded()}, .extra = [](Trace<double>& t) {
                             const auto& a = t.activation("0.side");
                             double sum = 0;
                             for (int i = 0; i < a.value.n * 3; ++i) {
                               sum += 0.5 * a.value.data[i] * a.value.data[i];
                               a.seed.data[i] += a.value.data[i];
                             }
                             return sum;
                           }};
  g(net);
}
