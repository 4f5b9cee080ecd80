// Slopes of ReLUs: their gradients, the penalty that grows until few are left, the masks that they
// become.
#include "rnx/linearize/snl.hpp"

#include <doctest/doctest.h>

#include "rnx/train.hpp"
#include "support/batch.hpp"
#include "support/error_of.hpp"

using namespace rnx;
using support::error_of;

namespace {

template <class Activation, class Precision = precision::Double>
using Small = Network<Sequential<Named<"conv", Conv<4, 3>>, Named<"relu", Activation>,
                                 Named<"conv2", Conv<6, 3, Stride<2>>>, Named<"relu2", Activation>,
                                 GlobalAveragePool, Named<"fc", Linear<3>>>,
                      Shape<3, 6, 6>, cpu, Precision>;
using Sloped = Small<act::SlopedRelu>;

}  // namespace

TEST_CASE("slopes: gradients against central differences; ones are ReLUs, zeros are none") {
  Sloped net(3);
  Small<act::Relu> plain(3);
  for (const auto& p : plain.graph().parameters) plain.set(p.name, net.get(p.name).values);
  const auto x = support::images<double>(2, net.input_dims());
  auto trace = net.make_trace({.use = Use::train, .capacity = 2});
  auto other = plain.make_trace({.use = Use::train, .capacity = 2});
  CHECK(to_host(net.forward(trace, x.view(), {})) == to_host(plain.forward(other, x.view(), {})));

  std::vector<double> slopes(144);
  for (std::size_t i = 0; i < slopes.size(); ++i)
    slopes[i] = rng::Stream(2, Purpose::test).uniform(i);
  net.set("relu.slope", slopes);
  const loss::Labels<> labels(std::vector<std::int32_t>{0, 2}, 3);
  loss::Values<double> values(2);
  const auto value = [&] {
    net.forward(trace, x.view(), {});
    return loss::mean(loss::CrossEntropy{.labels = labels.data()}, trace, values);
  };
  value();
  auto grads = net.make_grads();
  grads.zero();
  Tensor<double> dx(2, net.input_dims());
  net.backward(trace, dx.view(), &grads);
  std::size_t moved = 0;
  for (const auto& p : net.parameter_list()) {
    if (p.name != "relu.slope") continue;
    for (std::size_t i = 0; i < p.count; i += 7) {
      const auto at = [&](double d) {
        std::vector<double> s = slopes;
        s[i] += d;
        net.set("relu.slope", s);
        return value();
      };
      const double expected = (at(1e-5) - at(-1e-5)) / 2e-5,
                   found = grads.flat.data()[p.offset + i];
      moved += found != 0;
      CHECK(std::abs(found - expected) < 1e-9);
    }
  }
  CHECK(moved > 3);
  net.set("relu.slope", slopes);
  Tensor<double> y = support::images<double>(2, net.input_dims());
  for (std::size_t k = 0; k < y.size(); k += 17) {
    const double before = y.data()[k];
    const auto at = [&](double v) {
      y.data()[k] = v;
      net.forward(trace, y.view(), {});
      return loss::mean(loss::CrossEntropy{.labels = labels.data()}, trace, values);
    };
    const double expected = (at(before + 1e-6) - at(before - 1e-6)) / 2e-6;
    at(before);
    CHECK(std::abs(dx.data()[k] - expected) < 1e-7);
  }
}

TEST_CASE("slopes: the penalty grows until the budget is met; masks of what is left") {
  using Net = Small<act::SlopedRelu, precision::Float>;
  Net net(1);
  data::Images set{.n = 32, .dims = {3, 6, 6}, .classes = 3};
  const rng::Stream random(5, Purpose::test);
  for (int i = 0; i < 32; ++i) {
    set.labels.push_back(i % 3);
    for (int k = 0; k < 108; ++k) set.pixels.push_back(std::uint8_t(random.bits(i * 108 + k)));
  }
  optim::Adam<float> adam;
  const auto fit = [&](const linearize::SlopePenalty& penalty, int epochs) {
    train::fit(
        net, set, train::objective(penalty, train::Natural{}), adam,
        {.epochs = epochs, .batch = 16, .augment = {}, .schedule = optim::Constant{.lr = 0.01}});
  };
  const auto refused = [&](const linearize::SlopePenalty& p) {
    return error_of<UsageError>([&] { fit(p, 1); });
  };
  CHECK(refused({.budget = 0}) ==
        "snl: expected a budget from 1 to the network's 198 slopes, found 0");
  CHECK(refused({.budget = 199}) ==
        "snl: expected a budget from 1 to the network's 198 slopes, found 199");
  CHECK(refused({.budget = 9, .lambda = 0}).starts_with("snl: expected a penalty above 0"));
  net.set("relu.slope", std::vector<float>(144, 0.5f));
  const linearize::Masks largest = linearize::largest_slopes(net, 60);
  CHECK(linearize::budget_of(largest) ==
        linearize::Budget{6, 54});        // 54 are 1, of equal ones the first
  fit({.budget = 7, .lambda = 1e-6}, 1);  // it ends before it is met
  CHECK(linearize::total(linearize::budget_of(linearize::slope_masks(net))) == 7);
  net.set("relu.slope", std::vector<float>(144, 1.f));
  net.set("relu2.slope", std::vector<float>(54, 1.f));
  fit({.budget = 60, .lambda = 1, .factor = 1.5, .from = 0}, 90);
  const linearize::Masks masks = linearize::slope_masks(net);
  const long kept = linearize::total(linearize::budget_of(masks));
  CHECK(kept <= 60);
  for (const char* name : {"relu.slope", "relu2.slope"})
    for (const float v : net.get(name).values) CHECK((v == 0 || v == 1));

  Small<act::MaskedRelu, precision::Float> masked(7);
  linearize::take_slopes<float, cpu>(masked, net);
  CHECK(linearize::masks_of(masked) == masks);
  Net again(9);
  linearize::take_masks<float, cpu>(again, masked);
  CHECK(linearize::slope_masks(again) == masks);
  CHECK(again.get("fc.weight").values == net.get("fc.weight").values);
  const auto x = support::images<float>(2, net.input_dims());
  auto a = net.make_trace({.use = Use::infer, .capacity = 2}),
       b = masked.make_trace({.use = Use::infer, .capacity = 2});
  const auto found = to_host(masked.forward(b, x.view(), {})),
             expected = to_host(net.forward(a, x.view(), {}));
  for (std::size_t i = 0; i < found.size(); ++i)
    CHECK(found[i] == doctest::Approx(expected[i]).epsilon(1e-5));
  CHECK(error_of<UsageError>([] { linearize::slope_masks(Small<act::Relu>(1)); }) ==
        "linearize: expected a network with act::SlopedRelu, found none in it");
}
