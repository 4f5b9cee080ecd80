// Probe: paths of a batch norm never touch each other's statistics, over clean, augmented and adversarial traces alive at once.
#include <doctest/doctest.h>

#include <rnx/network.hpp>

#include "golden/golden.hpp"

using namespace rnx;
using Net = Network<BatchNorm<paths::Dual>, Shape<5, 4, 4>, cpu, precision::Double>;

namespace {
struct Pass3 {
  Net net{0};
  std::vector<Trace<double>> traces;
  std::vector<Tensor<double>> inputs;
  Pass3() {
    golden::fill(net, "bn.");
    const auto input = [](int k, auto f) {
      auto v = golden::u_values("input." + std::to_string(k), 6 * 5 * 16);
      for (double& e : v) e = f(e);
      return Tensor<double>::from_nchw(6, {5, 4, 4}, v);
    };
    inputs.push_back(input(0, [](double u) { return 2 * u - 1; }));
    inputs.push_back(input(1, [](double u) { return 3 * u - 1; }));
    inputs.push_back(input(2, [](double u) { return u - 0.2; }));
    for (int k = 0; k < 3; ++k) traces.push_back(net.make_trace({.use = Use::train, .capacity = 6}));
    for (int k = 0; k < 3; ++k) net.forward(traces[k], std::as_const(inputs[k]).view(), {.mode = Mode::train, .path = k == 2 ? 1 : 0});
  }
  double output_error(int k, const golden::json& record) const {
    Tensor<double> y(6, {5, 4, 4});
    const auto v = to_host(traces[k].logits());
    y.upload(v);
    return golden::compare_record(record, y.to_nchw());
  }
  double running_error(const golden::json& records) {
    double worst = 0;
    std::size_t seen = 0;
    net.visit_buffers([&](const auto& b) {
      worst = std::max(worst, golden::compare_record(records.at("bn." + b.name), std::vector<double>(b.value, b.value + b.count)));
      ++seen;
    });
    CHECK(seen == 4);
    return worst;
  }
};
}  // namespace

TEST_CASE("dual batch norm: outputs and statistics are PyTorch's, in a stated order") {
  const auto g = golden::load("dual_bn");
  Pass3 a;
  for (int k = 0; k < 3; ++k) CHECK(a.output_error(k, g.at("outputs")[k]) < 1e-12);
  for (int k : {0, 1, 2}) a.net.commit_statistics(a.traces[k]);
  CHECK(a.running_error(g.at("order_012")) < 1e-12);
  Pass3 b;
  for (int k : {1, 0, 2}) b.net.commit_statistics(b.traces[k]);
  CHECK(b.running_error(g.at("order_102")) < 1e-12);
}

TEST_CASE("dual batch norm: forward writes no statistics, a commit writes its own path only") {
  Pass3 p;
  const std::vector<double> before(std::as_const(p.net).buffers(), std::as_const(p.net).buffers() + p.net.buffer_storage());
  const auto changed = [&](const std::string& prefix) {
    bool any = false;
    std::as_const(p.net).visit_buffers([&](const auto& b) {
      if ((b.name.rfind("paths.", 0) == 0) != (prefix == "paths.")) return;
      for (std::size_t i = 0; i < b.count; ++i) any |= b.value[i] != before[b.value - std::as_const(p.net).buffers() + i];
    });
    return any;
  };
  CHECK_FALSE(changed(""));
  CHECK_FALSE(changed("paths."));
  p.net.commit_statistics(p.traces[2]);
  CHECK_FALSE(changed(""));
  CHECK(changed("paths."));
  // recalibration: the biased variance itself, as a weighted average
  p.net.commit_statistics(p.traces[0], {.weight = 1, .unbiased = false});
  std::as_const(p.net).visit_buffers([&](const auto& b) { if (b.name == "running_var") for (int c = 0; c < 5; ++c) CHECK(b.value[c] == p.traces[0].saved(0)[5 + c]); });
  CHECK_THROWS_WITH_AS(p.net.forward(p.traces[0], std::as_const(p.inputs[0]).view(), {.path = 2}), "batch norm: path 2 was asked for, but the network has 2", UsageError);
}
