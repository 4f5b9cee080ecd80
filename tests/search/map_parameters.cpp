// What maps learn for each channel moves with the channel: permuted, narrowed, sliced, counted.
#include <doctest/doctest.h>

#include <rnx/network.hpp>
#include <rnx/search.hpp>

#include "support/batch.hpp"

using namespace rnx;

namespace {

/// x + s(c), s learned for each channel of the input: a map with a kernel of its own.
struct ChannelShift {
  using option = rnx::option::activation_map;
  static constexpr int bases = 1, bits = 32;
  static constexpr bool identity = false, scaled = false, valid = true;
  static constexpr std::array parameters{
      quant::MapParameter{.name = "shift", .per = quant::Per::channel, .value = 0.25}};
  static constexpr double pad_value = 0;
};

/// f(offset in x, offset in the padded map, channel) for each position of x.
template <class F> void each_position(const geometry::Map& x, int pad, F f) {
  for (int n = 0; n < x.n; ++n)
    for (int h = 0; h < x.h; ++h)
      for (int w = 0; w < x.w; ++w)
        for (int c = 0; c < x.c; ++c)
          f(((std::size_t(n) * x.h + h) * x.w + w) * x.stride + c,
            ((std::size_t(n) * (x.h + 2 * pad) + h + pad) * (x.w + 2 * pad) + w + pad) * x.c + c,
            c);
}

}  // namespace

template <class T> struct rnx::kernel<cpu, op::activation_bases<ChannelShift, T>> {
  static void run(Stream, const op::activation_bases<ChannelShift, T>& a) {
    CHECK(a.channels >= a.x.c);
    const geometry::Map wide = geometry::padded(a.x, a.pad);
    for (T* y : {a.bases, a.sum}) {
      if (!y) continue;
      std::fill_n(y, wide.n * wide.sample(), T(ChannelShift::pad_value));
      each_position(a.x, a.pad, [&](std::size_t from, std::size_t to, int c) {
        y[to] = a.x.data[from] + a.parameters[c];
      });
    }
  }
};
template <class T> struct rnx::kernel<cpu, op::activation_bases_backward<ChannelShift, T>> {
  static void run(Stream, const op::activation_bases_backward<ChannelShift, T>& a) {
    each_position(a.x, a.pad, [&](std::size_t, std::size_t from, int c) {
      if (a.dparameters) a.dparameters[c] += a.dsum[from];
    });
    if (!a.dx.data) return;
    for (int n = 0; n < a.x.n; ++n) {
      const geometry::Map x{1, a.x.h, a.x.w, a.x.c, a.dx.stride};
      T* dx = a.dx.data + n * a.dx.sample();
      const T* dsum = a.dsum + n * geometry::padded(x, a.pad).sample();
      each_position(x, a.pad, [&](std::size_t to, std::size_t from, int) { dx[to] = dsum[from]; });
    }
  }
};

namespace {

using Alpha = quant::MultiBit<2, quant::Learned<quant::Per::channel>>;
template <int Channels, class... Width>
using Layers = Sequential<Named<"a", Conv<Channels, 3, Alpha, Width...>>, Named<"bn", BatchNorm<>>,
                          Named<"b", Depthwise<3, Alpha, ChannelShift>>,
                          Named<"c", Conv<6, 1, quant::DoReFaWeights<2>, ChannelShift>>,
                          GlobalAveragePool, Named<"fc", Linear<3, true, Alpha>>>;
using In = Shape<3, 5, 5>;
using Net = Network<Layers<8, width::Chosen>, In, cpu, precision::Double>;

/// Values that differ from channel to channel.
template <class AnyNet> void spread(AnyNet& net) {
  const auto list = net.graph().parameters;
  for (const auto& p : list) {
    std::vector<double> v(p.count);
    const rng::Stream random(5, Purpose::test, p.offset);
    for (std::size_t i = 0; i < v.size(); ++i) v[i] = 2 * random.uniform(i) - 0.7;
    net.set(p.name, v);
  }
}
template <class AnyNet> std::vector<double> logits(const AnyNet& net, const Subnet* subnet = {}) {
  const auto x = support::images<double>(2, In::dims, 3);
  auto trace = net.make_trace({.capacity = 2});
  net.forward(trace, x.view(), {.subnet = subnet});
  return to_host(trace.logits());
}
double difference(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]));
  return worst;
}

}  // namespace

TEST_CASE("parameters of maps: names, shapes, starts") {
  const Net net(1);
  CHECK(net.get("a.weight_map.alpha").shape == std::vector<int>{8, 2});
  CHECK(net.get("b.activation.shift").shape == std::vector<int>{8});
  CHECK(net.get("c.activation.shift").values == std::vector<double>(8, 0.25));
  const double start = net.get("fc.weight_map.alpha").values[0];
  CHECK(start == doctest::Approx(0.7978845608 / 2 / std::sqrt(3.0 * 6)));
  CHECK(net.get("a.weight_map.alpha").values[3] ==
        doctest::Approx(0.7978845608 / 2 * std::sqrt(2.0 / (8 * 9))));
}

TEST_CASE("permuting channels moves what maps learn for them") {
  Net net(1);
  spread(net);
  const auto before = logits(net);
  int groups = 0;
  for (const auto& group : net.graph().coupled_channels()) {
    const int c = net.graph().nodes[group[0]].out.c;
    if (group.back() == int(net.graph().nodes.size()) - 1) continue;
    std::vector<int> permutation(c);
    for (int i = 0; i < c; ++i) permutation[i] = (i * 5 + 3) % c;
    const auto moved = net.get("c.activation.shift").values;
    search::permute_channels(net, group, permutation);
    CHECK((net.get("c.activation.shift").values != moved) == (c == 8));
    CHECK(difference(logits(net), before) < 1e-12);
    ++groups;
  }
  CHECK(groups == 2);
}

TEST_CASE(
    "a subnet's network has the parameters of maps of its channels, and no others have gradients") {
  Net net(1);
  spread(net);
  const Subnet narrow = net.make_subnet({{"a", "width", 5}});
  Network<Layers<5>, In, cpu, precision::Double> small(1);
  search::transfer(net, narrow, small);
  CHECK(difference(logits(small), logits(net, &narrow)) < 1e-12);

  const std::vector<char> used = search::used_parameters(net, narrow);
  auto trace = net.make_trace({.use = Use::train, .capacity = 2});
  const auto x = support::images<double>(2, In::dims, 3);
  net.forward(trace, x.view(), {.subnet = &narrow});
  const auto z = trace.logits_gradient();
  for (std::size_t i = 0; i < 6; ++i) z.data[i] = double(i) - 1.7;
  auto grads = net.make_grads();
  net.backward(trace, {}, &grads);
  for (const auto& p : net.graph().parameters) {
    CAPTURE(p.name);
    int flowing = 0;
    for (std::size_t i = p.offset; i < p.offset + p.count; ++i) {
      if (!used[i]) CHECK(grads.flat.data()[i] == 0);
      flowing += grads.flat.data()[i] != 0;
    }
    CHECK(flowing > 0);
  }
  int shifts = 0;
  for (const auto& p : net.graph().parameters)
    if (p.name == "b.activation.shift")
      for (std::size_t i = 0; i < p.count; ++i) shifts += used[p.offset + i];
  CHECK(shifts == 5);
}

TEST_CASE("the static type of a network that is told its bits is one that knows them") {
  using Told =
      Sequential<Conv<6, 3, quant::MultiBit<at_run_time>, quant::MultiBitActivation<at_run_time>>,
                 GlobalAveragePool, Linear<3, true, quant::DoReFaWeights<at_run_time>>>;
  const Network<Told, In, cpu, precision::Double> net(1, 0, {.weights = 2, .activations = 4});
  const std::string text = search::static_type(net, net.make_subnet({}), "A");
  for (const char* part : {"quant::MultiBit<2>", "quant::MultiBitActivation<4>",
                           "Linear<3, true, quant::DoReFaWeights<2>>"})
    CHECK_MESSAGE(text.find(part) != std::string::npos, text);
}
