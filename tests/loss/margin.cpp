// Margin, DLR and targeted DLR: their values by hand, their gradients against difference quotients
// in double, tiles, bad input, a device whose memory the host cannot read.
#include "support/error_of.hpp"
#include "rnx/loss.hpp"

#include <doctest/doctest.h>

#include "golden/golden.hpp"
#include "rnx/kernels.hpp"
#include "rnx/kernels/loopback/definitions.hpp"
#include "rnx/network.hpp"

namespace {

using namespace rnx;
using support::error_of;

constexpr int n = 6, classes = 5;
template <int Classes, class Device = cpu>
using Plain =
    Network<Sequential<Named<"fc", Linear<Classes>>>, Shape<Classes>, Device, precision::Double>;

/// A network whose logits are its input.
template <int Classes, class Device = cpu> Plain<Classes, Device> identity() {
  Plain<Classes, Device> net;
  std::vector<double> eye(Classes * Classes, 0.0);
  for (int i = 0; i < Classes; ++i) eye[i * (Classes + 1)] = 1;
  net.set("fc.weight", eye);
  net.set("fc.bias", std::vector<double>(Classes, 0.0));
  return net;
}
std::vector<double> logits(int of = classes) {
  auto v = golden::u_values("margin", n * of);
  for (double& x : v) x = 6 * x - 3;
  return v;
}
const std::vector<std::int32_t> labels{1, 0, 4, 3, 2, 2}, targets{0, 3, 1, 0, 4, 1};

/// Values, then gradients of their sum.
template <class Device, class MakeLoss>
std::vector<double> evaluated(const std::vector<double>& z, const MakeLoss& make_loss, int tile = n,
                              double weight = 1) {
  const auto net = identity<classes, Device>();
  const auto x = Tensor<double, Device>::from_nchw(n, {classes, 1, 1}, z);
  const loss::Labels<Device> of(labels, classes), towards(targets, classes);
  auto trace = net.make_trace({.use = Use::input_gradient, .capacity = tile});
  loss::Values<double, Device> values(tile);
  std::vector<double> all, gradients;
  for (int first = 0; first < n; first += tile) {
    const int count = std::min(tile, n - first);
    net.forward(trace, x.view().samples(first, count), {});
    make_loss(of.data(), towards.data())(trace, values.call(count, weight, first));
    for (const double v : values.host(count)) all.push_back(v);
    for (const double v : to_host(trace.logits_gradient())) gradients.push_back(v);
  }
  all.insert(all.end(), gradients.begin(), gradients.end());
  return all;
}
const auto margin = [](const std::int32_t* y, const std::int32_t*) {
  return loss::Margin{.labels = y};
};
const auto towards = [](const std::int32_t* y, const std::int32_t* t) {
  return loss::Margin{.labels = y, .targets = t};
};
const auto confident = [](const std::int32_t* y, const std::int32_t*) {
  return loss::Margin{.labels = y, .confidence = 1};
};
const auto dlr = [](const std::int32_t* y, const std::int32_t*) { return loss::Dlr{.labels = y}; };
const auto targeted = [](const std::int32_t* y, const std::int32_t* t) {
  return loss::TargetedDlr{.labels = y, .targets = t};
};

template <class MakeLoss> void check_gradient(const MakeLoss& make_loss) {
  const double h = 1e-6;
  const std::vector<double> z = logits(), at = evaluated<cpu>(z, make_loss);
  double largest = 0;
  for (int i = 0; i < n; ++i)
    for (int k = 0; k < classes; ++k) {
      auto up = z, down = z;
      up[i * classes + k] += h;
      down[i * classes + k] -= h;
      const double slope =
          (evaluated<cpu>(up, make_loss)[i] - evaluated<cpu>(down, make_loss)[i]) / (2 * h);
      CHECK(at[n + i * classes + k] == doctest::Approx(slope).epsilon(1e-7).scale(1));
      largest = std::max(largest, std::abs(slope));
    }
  CHECK(largest > 0.1);
  for (int tile : {1, 4}) {
    const auto tiled = evaluated<cpu>(z, make_loss, tile);
    CHECK(tiled == at);
  }
  const auto half = evaluated<cpu>(z, make_loss, n, 0.5);
  for (std::size_t i = n; i < at.size(); ++i) CHECK(half[i] == 0.5 * at[i]);
  CHECK(evaluated<loopback>(z, make_loss) == at);
}

}  // namespace

TEST_CASE("margins and ratios of logits have the values of their formulas") {
  std::vector<double> z = logits();
  const std::vector<double> first{3, 1, -1, 2, 0.5};  // label 1, target 0
  std::copy(first.begin(), first.end(), z.begin());
  CHECK(evaluated<cpu>(z, margin)[0] == 2);
  CHECK(evaluated<cpu>(z, towards)[0] == 2);
  CHECK(evaluated<cpu>(z, confident)[0] == 1);
  CHECK(evaluated<cpu>(z, dlr)[0] == doctest::Approx(2.0 / (3 - 1)).epsilon(1e-11));
  CHECK(evaluated<cpu>(z, targeted)[0] ==
        doctest::Approx(2.0 / (3 - (1 + 0.5) / 2)).epsilon(1e-11));
  z[1] = 5;  // now the label wins
  CHECK(evaluated<cpu>(z, margin)[0] == -2);
  CHECK(evaluated<cpu>(z, dlr)[0] == doctest::Approx(-2.0 / (5 - 2)).epsilon(1e-11));
  CHECK(evaluated<cpu>(z, targeted)[0] ==
        doctest::Approx(-2.0 / (5 - (2 + 0.5) / 2)).epsilon(1e-11));
}

TEST_CASE("gradients of margins and ratios are derivatives, in tiles and on a device too") {
  check_gradient(margin);
  check_gradient(towards);
  check_gradient(dlr);
  check_gradient(targeted);
  check_gradient([](const std::int32_t* y, const std::int32_t* t) {
    return loss::sum(loss::term(0.5, loss::Dlr{.labels = y}),
                     loss::term(-2, loss::TargetedDlr{.labels = y, .targets = t}));
  });
  check_gradient([](const std::int32_t* y, const std::int32_t*) {
    return loss::CrossEntropy{.labels = y, .temperature = 3};
  });
  // a value that is cut has no gradient
  const auto cut = evaluated<cpu>(logits(), confident), free = evaluated<cpu>(logits(), margin);
  int cuts = 0;
  for (int i = 0; i < n; ++i) {
    cuts += free[i] > 1;
    CHECK(cut[i] == std::min(free[i], 1.0));
    for (int k = 0; k < classes; ++k)
      CHECK(cut[n + i * classes + k] == (free[i] > 1 ? 0 : free[n + i * classes + k]));
  }
  CHECK((cuts > 0 && cuts < n));
}

TEST_CASE("margins refuse what has no value") {
  const auto net = identity<3>();
  const auto x = Tensor<double>::from_nchw(n, {3, 1, 1}, logits(3));
  auto trace = net.make_trace({.use = Use::input_gradient, .capacity = n});
  net.forward(trace, x.view(), {});
  std::vector<std::int32_t> y{0, 1, 2, 0, 1, 2}, t{1, 2, 0, 1, 2, 0};
  loss::Values<double> values(n);
  const auto call = values.call(n);
  loss::Dlr{.labels = y.data()}(trace, call);
  CHECK(error_of<UsageError>([&] {
          loss::TargetedDlr{.labels = y.data(), .targets = t.data()}(trace, call);
        }) == "loss targeted DLR: it needs at least 4 classes, found 3");
  CHECK(error_of<UsageError>([&] { loss::TargetedDlr{.labels = y.data()}(trace, call); }) ==
        "loss targeted DLR: no targets were given");
  CHECK(error_of<UsageError>([&] { loss::Dlr{}(trace, call); }) ==
        "loss DLR: no labels were given");
  CHECK(error_of<UsageError>([&] { loss::Margin{}(trace, call); }) ==
        "loss margin: no labels were given");
  CHECK_THROWS_AS((loss::Margin{.labels = y.data(), .confidence = std::nan("")}(trace, call)),
                  UsageError);
  y[2] = 3;
  t[4] = -1;
  loss::Margin{.labels = y.data(), .targets = t.data()}(trace, call);
  CHECK(error_of<NumericError>([&] {
          values.host(n);
        }).starts_with("loss: the value of sample 2 is "));
  const std::vector<double> dz = to_host(trace.logits_gradient());
  CHECK(std::isnan(dz[2 * 3]));
  CHECK(std::isnan(dz[4 * 3]));
  CHECK(!std::isnan(dz[0]));

  const auto two = identity<2>();
  auto small = two.make_trace({.use = Use::input_gradient, .capacity = n});
  two.forward(small, Tensor<double>::from_nchw(n, {2, 1, 1}, logits(2)).view(), {});
  CHECK(error_of<UsageError>([&] { loss::Dlr{.labels = y.data()}(small, call); }) ==
        "loss DLR: it needs at least 3 classes, found 2");
}
