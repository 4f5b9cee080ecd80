// The graph: counts of FACTS, names, coupled channels, what a trace keeps and how much memory it
// plans.
#include "models/describe.hpp"
#include "support/batch.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace rnx;
namespace {
template <class Spec, class In = Shape<3, 32, 32>> cost::Row total() {
  return cost::table(support::describe<Spec, In>()).total();
}
}  // namespace

TEST_CASE("parameters, MACs and ReLUs from the graph") {
  const auto check = [](cost::Row r, long long parameters, long long macs, long long relus) {
    CHECK(r.parameters == parameters);
    CHECK(r.macs == macs);
    if (relus) CHECK(r.relus == relus);
  };
  check(total<models::ResNet20<>>(), 269722, 40551040, 0);
  check(total<models::ResNet56<>>(), 853018, 125485696, 0);
  check(total<models::ResNet56<100>>(), 858868, 125485696 + 64 * 90, 0);
  check(total<models::ResNet18<>>(), 11173962, 555422720, 557056);
  check(total<models::ResNet18<100>>(), 11220132, 555422720 + 512 * 90, 557056);
  check(total<models::ResNet18<200>>(), 11271432, 555422720 + 512 * 190, 557056);
  check(total<models::ResNet18<10, models::Convolutions<>, BatchNorm<paths::Dual>>>(), 11183562,
        555422720, 557056);
  check(total<models::ResNet50<>>(), 23520842, 1297829888, 0);
  CHECK(total<models::ResNet18<200>, Shape<3, 64, 64>>().relus == 2228224);
}

namespace {
/// Paper 003 counts: bits (or bases) of weights and activations, 1e8 BOPs of ResNet-20 and -56.
struct Counted {
  int weights, activations;
  double resnet20, resnet56;
};
constexpr Counted counted[]{
    {4, 4, 6.7008, 20.2904}, {2, 4, 0, 10.2869},      {2, 2, 1.8878, 5.2852},
    {1, 1, .6846, 1.5340},   {3, 1, 1.4868, 4.0348},  {5, 1, 2.2889, 6.5357},
    {7, 1, 3.0911, 9.0365},  {3, 3, 3.8932, 11.5374}, {5, 5, 10.3105, 31.5442}};

/// 1e8 BOPs of a network of one-bit convolutions with other bits in their place.
double bops(Graph graph, int weights, int activations) {
  for (Node& n : graph.nodes) {
    if (n.weight_bits != 1) continue;
    n.weight_bits = weights;
    n.activation_bits = activations;
  }
  return cost::table(graph).total().bops / 1e8;
}
}  // namespace

TEST_CASE("bit operations of multi-bit networks (paper 003, table 2)") {
  using Binary = models::Convolutions<quant::Sign, quant::SignActivation>;
  using Cifar = Shape<3, 32, 32>;
  CHECK(total<models::ResNet20<>>().bops / 1e8 == doctest::Approx(25.9527).epsilon(1e-5));
  CHECK(total<models::ResNet56<>>().bops / 1e8 == doctest::Approx(80.3108).epsilon(1e-5));
  const Graph r20 = support::describe<models::ResNet20<10, Binary>, Cifar>(),
              r56 = support::describe<models::ResNet56<10, Binary>, Cifar>();
  for (const Counted& c : counted) {
    CAPTURE(c.weights);
    CAPTURE(c.activations);
    if (c.resnet20 > 0)
      CHECK(std::abs(bops(r20, c.weights, c.activations) - c.resnet20) < 0.5001e-4);
    CHECK(std::abs(bops(r56, c.weights, c.activations) - c.resnet56) < 0.5001e-4);
  }
  // a type's own bits: bases count as bits
  using Multi = models::Convolutions<quant::MultiBit<3>, quant::MultiBitActivation<1>>;
  CHECK(total<models::ResNet20<10, Multi>>().bops == 64.0 * (442368 + 640) + 3.0 * 40108032);
}

TEST_CASE("bits of storage: weights at their bits, scales and all else at 32") {
  using Stored =
      Sequential<Named<"a", Conv<8, 3, quant::MultiBit<3>, quant::MultiBitActivation<2>>>,
                 Named<"bn", BatchNorm<>>, Named<"b", Conv<4, 1, quant::XnorWeights>>,
                 GlobalAveragePool, Named<"fc", Linear<5>>>;
  const cost::Table t = cost::table(support::describe<Stored, Shape<2, 5, 5>>());
  CHECK(t.rows[0].storage_bits == 3 * 8 * 2 * 9 + 32 * (3 + 4));
  CHECK(t.rows[1].storage_bits == 32 * 4 * 8);
  CHECK(t.rows[2].storage_bits == 4 * 8 + 32 * 4);
  CHECK(t.total().storage_bits ==
        t.rows[0].storage_bits + t.rows[1].storage_bits + t.rows[2].storage_bits + 32 * (20 + 5));
}

TEST_CASE("names are PyTorch's") {
  using Dual = models::ResNet18<10, models::Convolutions<>, BatchNorm<paths::Dual>>;
  const Graph graph = support::describe<Dual, Shape<3, 32, 32>>();
  std::set<std::string> names;
  for (const auto* list : {&graph.parameters, &graph.buffers})
    for (const auto& p : *list) CHECK(names.insert(p.name).second);
  for (const char* name : {"conv1.weight", "layer1.0.bn2.running_var",
                           "layer2.0.downsample.0.weight", "layer2.0.downsample.1.paths.1.bias",
                           "layer4.1.bn2.paths.1.running_mean", "fc.bias", "normalize.mean"})
    CHECK_MESSAGE(names.contains(name), name);
}

TEST_CASE("coupled channels: who permutes one of a residual stage permutes all") {
  const Graph graph = support::describe<models::ResNet20<>, Shape<3, 32, 32>>();
  const auto groups = graph.coupled_channels();
  const auto group_of = [&](const std::string& path) {
    const int node = graph.find(path);
    for (std::size_t g = 0; g < groups.size(); ++g)
      if (std::find(groups[g].begin(), groups[g].end(), node) != groups[g].end()) return int(g);
    return -1;
  };
  CHECK(group_of("conv1") == group_of("layer1.0.conv2"));
  CHECK(group_of("layer1.0.conv2") == group_of("layer1.2.bn2"));
  CHECK(group_of("layer1.0.conv1") != group_of("conv1"));
  CHECK(group_of("layer1.0.conv1") == group_of("layer1.0.bn1"));
  CHECK(group_of("layer2.0.conv2") != group_of("layer1.0.conv2"));
}

TEST_CASE("a trace keeps what its purpose needs") {
  Network<models::ResNet20<>, Shape<3, 32, 32>> net;
  const auto bytes = [&](Use use, bool eval_only = false, std::vector<Keep> keep = {}) {
    return net
        .make_trace({.use = use, .capacity = 8, .keep = std::move(keep), .eval_only = eval_only})
        .bytes();
  };
  CHECK(bytes(Use::infer) < bytes(Use::input_gradient, true));
  CHECK(bytes(Use::input_gradient, true) < bytes(Use::input_gradient));
  CHECK(bytes(Use::input_gradient) < bytes(Use::train));
  CHECK(bytes(Use::infer) <=
        8 * sizeof(float) * 4 * 16384);  // a few maps at a time, not twenty layers
  const auto trace =
      net.make_trace({.use = Use::train,
                      .capacity = 8,
                      .keep = {Keep::at("layer2.*.conv1").seeded(), Keep::tap<Penultimate>(),
                               Keep::every(Kind::linear).maps()}});
  CHECK(trace.activations().size() == 3 + 1 + 1);
  CHECK(trace.kept_bytes() == 8 * sizeof(float) * (3 * 2 * 32 * 256 + 64 + 1));
  CHECK_THROWS_AS(trace.activation("layer9"), NameError);
  CHECK_THROWS_AS(net.make_trace({.use = Use::infer, .keep = {Keep::at("conv1").seeded()}}),
                  UsageError);
  CHECK_THROWS_AS(net.make_trace({.capacity = 0}), UsageError);
  CHECK_THROWS_AS(net.set("nothing", std::vector<float>{}), NameError);
  CHECK_THROWS_AS(net.set("fc.bias", std::vector<float>(3)), ShapeError);
}

TEST_CASE(
    "subnets: slots by name, active channels in the trace and in the cost; what is not there is "
    "refused") {
  Network<Sequential<Named<"conv", Conv<16, 3, width::Chosen>>,
                     Named<"stage", Repeat<3, Residual<Conv<16, 3, width::Chosen>>,
                                           Residual<Conv<16, 3, width::Chosen>>, 1>>>,
          Shape<3, 8, 8>>
      net;
  CHECK(net.graph().slot_list.size() == 1 + 1 + 3);
  const Subnet s =
      net.make_subnet({{"conv", "width", 12}, {"stage*", "width", 12}, {"stage", "depth", 2}});
  auto trace = net.make_trace({.capacity = 1});
  const auto x = support::images<float>(1, {3, 8, 8});
  const auto y = net.forward(trace, x.view(), {.subnet = &s});
  CHECK(y.dims.c == 12);
  CHECK(y.stride == 16);
  CHECK(cost::table(net.graph(), trace).total().macs == 64 * 9 * (3 * 12 + 2 * 12 * 12));
  CHECK_THROWS_AS(net.make_subnet({{"nowhere", "width", 12}}), NameError);
  CHECK_THROWS_AS(net.make_subnet({{"conv", "depth", 1}}), NameError);
  CHECK_THROWS_AS(net.make_subnet({{"conv", "width", 0}}), UsageError);
  const Subnet other{{1, 2}, 5};
  CHECK_THROWS_AS(net.forward(trace, x.view(), {.subnet = &other}), UsageError);
}

TEST_CASE("get copies a parameter or buffer in the field's order, and set puts it back") {
  Network<Sequential<Named<"conv", Conv<4, 3>>, Named<"bn", BatchNorm<>>>, Shape<2, 6, 6>> net(5);
  const auto weight = net.get("conv.weight");
  CHECK(weight.shape == std::vector<int>{4, 2, 3, 3});
  CHECK(weight.values == std::vector<float>(net.parameters(), net.parameters() + 72));
  CHECK(net.get("bn.running_var").values == std::vector<float>(4, 1));
  decltype(net) other(6);
  CHECK(other.get("conv.weight").values != weight.values);
  other.set("conv.weight", weight.values);
  CHECK(other.get("conv.weight").values == weight.values);
  CHECK_THROWS_WITH_AS(net.get("conv.wait"),
                       "get: the network has no parameter or buffer called 'conv.wait'", NameError);
}
