// Probe: a convolution with 3 x 2 bases is the stated sum of binary convolutions; its weight map is
// computed once for twenty PGD steps.
#include "quant/bases.hpp"
#include "support/gradient_check.hpp"

#include <rnx/attack.hpp>
#include <rnx/models.hpp>

using namespace rnx;
namespace {
constexpr int M = 3, N = 2;
using Quantised = Conv<5, 3, quant::MultiBit<M>, quant::MultiBitActivation<N>>;
using Net = Network<Quantised, Shape<4, 6, 6>, cpu, precision::Double>;
using Plain = Network<Conv<5, 3, Pad<0>>, Shape<4, 8, 8>, cpu, precision::Double>;

std::vector<double> parameter(Net& net, const std::string& name) {
  std::vector<double> v;
  std::as_const(net).visit([&](const auto& p) {
    if (p.name == name) v.assign(p.value, p.value + p.count);
  });
  return v;
}
Tensor<double> sample(int n, Dims d, double scale = 1) {
  Tensor<double> x(n, d);
  const rng::Stream random(3, Purpose::test);
  for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = scale * (2 * random.uniform(i) - 1);
  return x;
}

/// f(index in the padded maps, index in the maps or -1 in the padding) for each value of n padded
/// maps.
template <class F> void for_each_padded(int n, F f) {
  for (int s = 0; s < n; ++s)
    for (int h = 0; h < 8; ++h)
      for (int w = 0; w < 8; ++w)
        for (int c = 0; c < 4; ++c) {
          const bool inside = h > 0 && h < 7 && w > 0 && w < 7;
          f(((s * 8 + h) * 8 + w) * 4 + c, inside ? ((s * 6 + h - 1) * 6 + w - 1) * 4 + c : -1);
        }
}

/// The sum of the scaled weight bases, and of their scales.
struct WeightSum {
  std::vector<double> weight;
  double alpha = 0;
  explicit WeightSum(const std::vector<double>& theta) : weight(theta.size()) {
    const test::Bases<M> bases(theta);
    for (int m = 0; m < M; ++m) {
      alpha += bases.alpha[m];
      for (std::size_t i = 0; i < theta.size(); ++i) weight[i] += bases.alpha[m] * bases.b[m][i];
    }
  }
};

struct Gradients {
  std::vector<double> weight, beta, shift, input;
};
/// The gradients that the surrogate declares, for the gradient r at the output: those of a
/// full-precision convolution of the summed weights over the summed activations, padded, and from
/// the sums on to the parameters and the input.
Gradients surrogate_gradients(Net& net, const Tensor<double>& x, const Tensor<double>& r) {
  const int n = x.view().n;
  const auto theta = parameter(net, "weight"), beta = parameter(net, "activation.beta"),
             shift = parameter(net, "activation.shift");
  const WeightSum sum(theta);
  const auto base = [&](int i, int k) {
    return i < 0 || x.data()[i] + shift[k] - 0.5 >= 0 ? 1.0 : -1.0;
  };
  Tensor<double> a(n, {4, 8, 8}), da(n, {4, 8, 8});
  for_each_padded(n, [&](int to, int i) {
    for (int k = 0; k < N; ++k) a.data()[to] += beta[k] * base(i, k);
  });
  Plain plain(0);
  plain.set("weight", sum.weight);
  auto trace = plain.make_trace({.use = Use::train, .capacity = n});
  plain.forward(trace, std::as_const(a).view(), {});
  std::copy_n(r.data(), r.size(), trace.logits_gradient().data);
  auto grads = plain.make_grads();
  plain.backward(trace, da.view(), &grads);

  Gradients g{.weight = std::vector<double>(theta.size()),
              .beta = std::vector<double>(N),
              .shift = std::vector<double>(N),
              .input = std::vector<double>(x.size())};
  for (std::size_t i = 0; i < theta.size(); ++i)
    g.weight[i] = std::abs(theta[i]) <= 1 ? sum.alpha * grads.flat.data()[i] : 0;
  for_each_padded(n, [&](int from, int i) {
    double through = 0;
    for (int k = 0; k < N; ++k) {
      g.beta[k] += da.data()[from] * base(i, k);
      if (i < 0 || x.data()[i] + shift[k] < 0 || x.data()[i] + shift[k] > 1) continue;
      through += beta[k];
      g.shift[k] += beta[k] * da.data()[from];
    }
    if (i >= 0) g.input[i] = through * da.data()[from];
  });
  return g;
}

}  // namespace

TEST_CASE("3 x 2 bases: the forward is the sum of scaled binary convolutions, padded with +1") {
  Net net(2);
  const auto x = sample(2, {4, 6, 6});
  auto trace = net.make_trace({.use = Use::train, .capacity = 2});
  const std::vector<double> y = to_host(net.forward(trace, x.view(), {}));
  const test::Bases<M> bases(parameter(net, "weight"));
  const auto beta = parameter(net, "activation.beta"), shift = parameter(net, "activation.shift");
  std::vector<double> expected(y.size());
  Plain plain(0);
  auto plain_trace = plain.make_trace({.capacity = 2});
  for (int m = 0; m < M; ++m)
    for (int n = 0; n < N; ++n) {
      Tensor<double> a(2, {4, 8, 8});
      for (int s = 0; s < 2; ++s)
        for (int h = 0; h < 8; ++h)
          for (int w = 0; w < 8; ++w)
            for (int c = 0; c < 4; ++c) {
              const bool inside = h > 0 && h < 7 && w > 0 && w < 7;
              a.data()[((s * 8 + h) * 8 + w) * 4 + c] =
                  !inside || x.data()[((s * 6 + h - 1) * 6 + w - 1) * 4 + c] + shift[n] - 0.5 >= 0
                      ? 1
                      : -1;
            }
      plain.set("weight", bases.b[m]);
      const std::vector<double> z =
          to_host(plain.forward(plain_trace, std::as_const(a).view(), {}));
      for (std::size_t i = 0; i < z.size(); ++i) expected[i] += bases.alpha[m] * beta[n] * z[i];
    }
  for (std::size_t i = 0; i < y.size(); ++i)
    CHECK(y[i] == doctest::Approx(expected[i]).epsilon(1e-12));
}

TEST_CASE("3 x 2 bases: backward is the declared surrogate's") {
  Net net(2);
  const int n = 2;
  const auto x = sample(n, {4, 6, 6});
  auto trace = net.make_trace({.use = Use::train, .capacity = n});
  net.forward(trace, x.view(), {});
  const auto r = sample(n, {5, 6, 6});
  std::copy_n(r.data(), r.size(), trace.logits_gradient().data);
  Tensor<double> dx(n, {4, 6, 6});
  auto grads = net.make_grads();
  net.backward(trace, dx.view(), &grads);

  const Gradients expected = surrogate_gradients(net, x, r);
  for (std::size_t i = 0; i < dx.size(); ++i)
    CHECK(dx.data()[i] == doctest::Approx(expected.input[i]).epsilon(1e-12));
  net.visit(grads, [&](const auto& p) {
    for (std::size_t i = 0; i < p.count; ++i) {
      if (p.name == "weight")
        CHECK(p.gradient[i] == doctest::Approx(expected.weight[i]).epsilon(1e-10));
      if (p.name == "activation.beta")
        CHECK(p.gradient[i] == doctest::Approx(expected.beta[i]).epsilon(1e-10));
      if (p.name == "activation.shift")
        CHECK(p.gradient[i] == doctest::Approx(expected.shift[i]).epsilon(1e-10));
    }
  });
}

TEST_CASE(
    "the weight map is computed once for twenty PGD steps, and again after any mutable access") {
  using Small = Network<
      Sequential<Named<"conv", Conv<8, 3, quant::MultiBit<M>, quant::MultiBitActivation<N>>>,
                 Named<"bn", BatchNorm<>>, GlobalAveragePool, Named<"fc", Linear<10>>>,
      Shape<3, 8, 8>>;
  Small net(1);
  attack::Workspace<float> work(net, 4, 2);
  Tensor<float> x(4, {3, 8, 8}), a(4, {3, 8, 8});
  for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = float(i % 13) / 13;
  const std::int32_t y[] = {0, 1, 2, 3};
  const loss::Labels<> labels(y, 10);
  const auto attack = [&] {
    attack::Pgd<>{.steps = 20}(net, work, std::as_const(x).view(), a.view(),
                               loss::CrossEntropy{.labels = labels.data()});
  };
  attack();
  CHECK(net.preparations() == 1);  // 20 steps of 2 tiles
  attack();
  CHECK(net.preparations() == 1);
  std::uint64_t expected = 1;
  const auto after = [&](auto touch) {
    touch();
    attack();
    CHECK(net.preparations() == ++expected);
  };
  after([&] { net.mutable_parameters(); });
  after([&] { net.set("fc.bias", std::vector<float>(10)); });
  const auto grads = net.make_grads();
  float sum = net.parameters()[0] + net.buffers()[0] + net.get("fc.weight").values[0];
  const auto read = [&](const auto& p) { sum += *p.value; };
  net.visit(read);
  net.visit_buffers(read);
  net.visit(grads, [&](const auto& p) { sum += *p.gradient; });
  CHECK(std::isfinite(sum));
  attack();
  CHECK(net.preparations() == expected);  // reading prepares nothing anew
  Small copy = net;
  const auto trace_of = [](Small& s) { return s.make_trace({}); };
  auto t = trace_of(copy);
  copy.forward(t, std::as_const(x).view().samples(0, 1), {});
  CHECK(copy.preparations() == 1);
}

TEST_CASE("sign and round: values and straight-through gradients") {
  CHECK(quant::Sign::value(0.0) == 1);
  CHECK(quant::Sign::value(-1e-9) == -1);
  CHECK(quant::Round<3>::value(0.49) == doctest::Approx(1.0 / 3));
  CHECK(quant::Round<3>::value(-7.0) == -1);
  CHECK(quant::RoundActivation<2>::value(0.4) == doctest::Approx(1.0 / 3));
  Network<Conv<2, 1, quant::Sign, quant::SignActivation>, Shape<2>, cpu, precision::Double> net(0);
  net.set("weight", std::vector<double>{0.5, -2, -0.5, 1});
  const auto x = Tensor<double>::from_nchw(1, {2, 1, 1}, std::vector<double>{0.25, -3});
  auto trace = net.make_trace({.use = Use::train});
  CHECK(to_host(net.forward(trace, x.view(), {})) == std::vector<double>{2, -2});
  trace.logits_gradient().data[0] = 1;
  trace.logits_gradient().data[1] = 10;
  Tensor<double> dx(1, {2, 1, 1});
  auto grads = net.make_grads();
  net.backward(trace, dx.view(), &grads);
  CHECK(dx.download() == std::vector<double>{1 - 10, 0});  // |x| > 1 passes nothing
  net.visit(grads, [](const auto& p) {
    CHECK(std::vector<double>(p.gradient, p.gradient + 4) == std::vector<double>{1, 0, 10, -10});
  });
}

TEST_CASE("a linear layer with an activation map is the 1 x 1 convolution with it") {
  using W = quant::MultiBit<2, quant::Learned<quant::Per::channel>>;
  using A = quant::MultiBitActivation<2>;
  Network<Linear<5, true, W, 0, A>, Shape<6>, cpu, precision::Double> linear(3);
  Network<Conv<5, 1, Bias<true>, W, A>, Shape<6>, cpu, precision::Double> convolution(1);
  for (const auto& p : linear.graph().parameters)
    convolution.set(p.name, linear.get(p.name).values);
  const auto x = sample(3, {6, 1, 1});
  const auto run = [&](auto& net) {
    auto trace = net.make_trace({.use = Use::train, .capacity = 3});
    std::vector<double> all = to_host(net.forward(trace, x.view(), {}));
    for (int i = 0; i < 15; ++i) trace.logits_gradient().data[i] = all[std::size_t(i)] - 0.3;
    Tensor<double> dx(3, {6, 1, 1});
    auto grads = net.make_grads();
    net.backward(trace, dx.view(), &grads);
    for (const double v : dx.download()) all.push_back(v);
    net.visit(grads,
              [&](const auto& p) { all.insert(all.end(), p.gradient, p.gradient + p.count); });
    return all;
  };
  const auto found = run(linear), expected = run(convolution);
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    CHECK(found[i] == doctest::Approx(expected[i]).epsilon(1e-12));
}
