// Several backwards of one forward: each has the bits of one that has a forward of its own.
#include "support/batch.hpp"
#include "support/error_of.hpp"

#include <doctest/doctest.h>

#include <rnx/net.hpp>

using namespace rnx;

namespace {

constexpr int n = 5;
/// Layers whose backward reads inputs, outputs, saved places or nothing, fused and not.
using Mixed = Network<
    Sequential<Named<"conv1", Conv<8, 3>>, Named<"bn1", BatchNorm<>>, Named<"act1", act::HardSwish>,
               Named<"pool", MaxPool<2>>,
               Named<"a", models::InvertedResidual<8, 16, 8, 3, 1, true>>,
               Named<"b", models::InvertedResidual<8, 16, 12, 3, 2, false, act::Relu>>,
               Named<"average", AveragePool<2>>, Named<"drop", Dropout<>>, Named<"fc1", Linear<20>>,
               Named<"relu", act::Relu>, Named<"fc2", Linear<10>>>,
    Shape<3, 16, 16>>;

/// From the k-th of some gradients of the logits.
template <class Net> std::vector<float> backward(const Net& net, Trace<float>& trace, int k) {
  const View<float> dz = trace.logits_gradient();
  for (int i = 0; i < n * dz.dims.c; ++i) dz.data[i] = float((i * 7 + k * 5) % 11 - 5) / 8;
  Tensor<float> dx(n, net.input_dims());
  net.backward(trace, dx.view(), nullptr);
  return dx.download();
}
template <class Net> void check(const Net& net, Mode mode) {
  CAPTURE(int(mode));
  const auto x = support::images<float>(n, net.input_dims());
  const auto trace_for = [&](bool repeat) {
    return net.make_trace({.use = Use::input_gradient,
                           .capacity = n,
                           .eval_only = mode == Mode::eval,
                           .repeat_backward = repeat});
  };
  auto once = trace_for(false), several = trace_for(true);
  const Context ctx{.mode = mode};
  net.forward(several, x.view(), ctx);
  for (const int k : {0, 1, 2, 0}) {
    CAPTURE(k);
    net.forward(once, x.view(), ctx);
    CHECK(backward(net, several, k) == backward(net, once, k));
  }
  CHECK(several.passes() == Passes{.forwards = n, .backwards = 4 * n});
  CHECK(several.bytes() >= once.bytes());
  CHECK_THROWS_AS(backward(net, once, 0), StateError);
}

}  // namespace

TEST_CASE("several backwards of one forward have the bits of their own forwards") {
  for (const Mode mode : {Mode::eval, Mode::train}) {
    check(Mixed(3), mode);
    check(Network<support::SmallResNet<>, Shape<3, 8, 8>>(4), mode);
  }
  CHECK(support::error_of<UsageError>([] {
          Mixed(3).make_trace({.use = Use::input_gradient,
                               .keep = {Keep::at("fc1").seeded()},
                               .repeat_backward = true});
        }) == "trace: where several backwards follow one forward there are no seeds");
}
