// Probe: paths of a batch norm never touch each other's statistics, over clean, augmented and
// adversarial traces alive at once.
#include <doctest/doctest.h>

#include <rnx/network.hpp>

#include "golden/golden.hpp"
#include "support/batch.hpp"
#include "support/error_of.hpp"

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
    for (int k = 0; k < 3; ++k)
      traces.push_back(net.make_trace({.use = Use::train, .capacity = 6}));
    for (int k = 0; k < 3; ++k)
      net.forward(traces[k], std::as_const(inputs[k]).view(),
                  {.mode = Mode::train, .path = k == 2 ? 1 : 0});
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
      worst =
          std::max(worst, golden::compare_record(records.at("bn." + b.name),
                                                 std::vector<double>(b.value, b.value + b.count)));
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
  const std::vector<double> before(std::as_const(p.net).buffers(),
                                   std::as_const(p.net).buffers() + p.net.buffer_storage());
  const auto changed = [&](const std::string& prefix) {
    bool any = false;
    std::as_const(p.net).visit_buffers([&](const auto& b) {
      if ((b.name.rfind("paths.", 0) == 0) != (prefix == "paths.")) return;
      for (std::size_t i = 0; i < b.count; ++i)
        any |= b.value[i] != before[b.value - std::as_const(p.net).buffers() + i];
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
  std::as_const(p.net).visit_buffers([&](const auto& b) {
    if (b.name == "running_var")
      for (int c = 0; c < 5; ++c) CHECK(b.value[c] == p.traces[0].saved(0)[5 + c]);
  });
  CHECK_THROWS_WITH_AS(p.net.forward(p.traces[0], std::as_const(p.inputs[0]).view(), {.path = 2}),
                       "batch norm: path 2 was asked for, but the network has 2", UsageError);
}

namespace {
/// Convolutions with a norm behind each, so that forward and backward are fused.
template <int Paths>
using Behind =
    Network<Sequential<Named<"conv1", Conv<16, 3>>, Named<"bn1", BatchNorm<Paths>>,
                       Named<"relu", act::Relu>,
                       Named<"block", models::BasicBlock<16, 1, Identity, models::Convolutions<>,
                                                         BatchNorm<Paths>, act::Relu>>,
                       Named<"pool", GlobalAveragePool>, Named<"fc", Linear<5>>>,
            Shape<3, 8, 8>>;

struct Outcome {
  std::vector<float> logits, dx, grads;
  bool operator==(const Outcome&) const = default;
};
/// A trace alive between its forward and its backward.
template <class N> struct Pending {
  const N& net;
  Trace<float> trace;
  Tensor<float> x;
  Outcome outcome;
  Pending(const N& n, int k, int path)
      : net(n),
        trace(n.make_trace({.use = Use::train, .capacity = 4})),
        x(support::images<float>(4, {3, 8, 8}, 30 + k)) {
    outcome.logits =
        to_host(net.forward(trace, std::as_const(x).view(), {.mode = Mode::train, .path = path}));
  }
  Outcome backward() {
    for (int i = 0; i < 20; ++i) trace.logits_gradient().data[i] = float(i % 7 - 3) / 4;
    Tensor<float> dx(4, {3, 8, 8});
    auto grads = net.make_grads();
    grads.zero();
    net.backward(trace, dx.view(), &grads);
    outcome.dx = dx.download();
    outcome.grads = grads.flat.download();
    return outcome;
  }
};
/// The value of `name` on one path: "bn1.weight" or "bn1.paths.1.weight".
std::string on_path(const std::string& name, int path) {
  const std::size_t dot = name.rfind('.');
  return path && name.find("bn") != name.npos
             ? name.substr(0, dot) + ".paths." + std::to_string(path) + name.substr(dot)
             : name;
}
}  // namespace

TEST_CASE(
    "dual batch norm behind convolutions: three traces alive, a backward each, as if each were "
    "alone") {
  Behind<2> net(3);
  golden::fill(net);  // paths with weights of their own
  const int path[] = {0, 0, 1};
  std::vector<Outcome> alone;
  for (int k = 0; k < 3; ++k) alone.push_back(Pending(net, k, path[k]).backward());
  CHECK(alone[0].grads != alone[1].grads);
  std::vector<std::unique_ptr<Pending<Behind<2>>>> alive;
  for (int k = 0; k < 3; ++k)
    alive.push_back(std::make_unique<Pending<Behind<2>>>(net, k, path[k]));
  for (int k : {1, 2, 0}) CHECK(alive[k]->backward() == alone[k]);

  for (int p :
       {0,
        // a network that has only this path computes the same, and the other path's gradients are
        // zero
        1}) {
    Behind<1> single(9);
    const auto values_of = [&](const std::string& name, const float* from) {
      std::vector<float> v;
      for (const auto& q : net.graph().parameters)
        if (q.name == name) v.assign(from + q.offset, from + q.offset + q.count);
      return v;
    };
    for (const auto& q : single.graph().parameters)
      single.set(q.name, values_of(on_path(q.name, p), std::as_const(net).parameters()));
    const int k = p ? 2 : 0;
    const Outcome one = Pending(single, k, 0).backward();
    CHECK(one.logits == alone[k].logits);
    CHECK(one.dx == alone[k].dx);
    std::size_t elements = 0;
    for (const auto& q : single.graph().parameters) {
      CAPTURE(q.name);
      const std::vector<float> expected(one.grads.begin() + q.offset,
                                        one.grads.begin() + q.offset + q.count);
      CHECK(values_of(on_path(q.name, p), alone[k].grads.data()) == expected);
      if (q.name.find("bn") == q.name.npos) continue;
      CHECK(values_of(on_path(q.name, 1 - p), alone[k].grads.data()) ==
            std::vector<float>(q.count));
      elements += q.count;
    }
    CHECK(elements == 6 * 16);
  }
}

TEST_CASE(
    "batch norm: one value per channel has no variance, train mode refuses it before anything "
    "changes") {
  using Pooled = Network<Sequential<Named<"conv", Conv<4, 3>>, Named<"pool", GlobalAveragePool>,
                                    Named<"bn", BatchNorm<>>>,
                         Shape<3, 4, 4>>;
  Pooled net(1);
  auto trace = net.make_trace({.use = Use::train, .capacity = 2});
  const auto x = support::images<float>(2, {3, 4, 4});
  const auto buffers = [&] {
    return std::vector<float>(std::as_const(net).buffers(),
                              std::as_const(net).buffers() + net.buffer_storage());
  };
  const auto before = buffers();
  const auto logits = to_host(net.forward(trace, x.view(), {.mode = Mode::train}));
  CHECK(support::error_of<UsageError>(
            [&] { net.forward(trace, x.view().samples(0, 1), {.mode = Mode::train}); }) ==
        "forward in train mode: batch statistics of 'bn' need more than one value per channel, "
        "found 1: a batch of 1 sample and a map of "
        "1 x 1");
  CHECK(buffers() == before);
  CHECK(to_host(trace.logits()) == logits);  // the trace still stands behind its last forward
  net.commit_statistics(trace);
  for (float v : buffers()) CHECK(std::isfinite(v));
  // two values: the variance is (a - b)^2 / 4, its unbiased form twice that
  const float* bn = trace.saved(net.graph().find("bn"));
  CHECK(buffers()[4] == doctest::Approx(0.9 + 0.1 * 2 * bn[4]));
  net.forward(trace, x.view().samples(0, 1), {.mode = Mode::eval});
  Network<BatchNorm<>, Shape<3, 2, 1>> two_pixels(1);
  auto other = two_pixels.make_trace({.use = Use::train});
  two_pixels.forward(other, Tensor<float>(1, {3, 2, 1}).view(), {.mode = Mode::train});
}
