// Magnitude pruning: which weights and channels go, by which ratios; what is left costs and
// computes what the smaller network does.
#include <doctest/doctest.h>

#include <rnx/cost/pruned.hpp>
#include <rnx/search.hpp>

#include "support/batch.hpp"
#include "support/error_of.hpp"

using namespace rnx;
using search::Pruning;
using support::error_of;

namespace {

/// Channels that an addition and a depthwise convolution tie together, others within the branch,
/// and a linear layer that reads maps.
template <int Stream, int Inner>
using Net = Network<
    Sequential<Named<"conv1", Conv<Stream, 3>>, Named<"bn1", BatchNorm<>>, act::Relu,
               Named<"block", Residual<Sequential<Named<"conv1", Conv<Inner, 3, Bias<true>>>,
                                                  Named<"bn1", BatchNorm<>>, act::Relu,
                                                  Named<"conv2", Conv<Stream, 3>>,
                                                  Named<"bn2", BatchNorm<>>>,
                                       Identity>>,
               Named<"dw", Depthwise<3>>, Named<"bn2", BatchNorm<>>, act::Relu,
               Named<"pool", MaxPool<2>>, Named<"fc", Linear<4>>>,
    Shape<3, 8, 8>>;
using Big = Net<8, 12>;

/// Norms with statistics of their own.
Big network() {
  Big net(3);
  const Tensor<float> x = support::images<float>(6, net.input_dims());
  auto trace = net.make_trace({.use = Use::train, .capacity = 6});
  net.forward(trace, x.view(), {.mode = Mode::train});
  net.commit_statistics(trace);
  return net;
}
std::vector<float> logits(const NetworkBase<float>& net) {
  const Tensor<float> x = support::images<float>(4, net.input_dims(), 2);
  auto trace = net.make_trace({.capacity = 4});
  net.forward(trace, x.view(), {});
  return to_host(trace.logits());
}
long zeros(const NetworkBase<float>& net, const std::string& name) {
  const std::vector<float> v = net.get(name).values;
  return std::count(v.begin(), v.end(), 0.f);
}
void check_costs(const cost::Table& found, const cost::Table& expected) {
  REQUIRE(found.rows.size() == expected.rows.size());
  for (std::size_t i = 0; i < found.rows.size(); ++i) {
    const cost::Row &a = found.rows[i], &b = expected.rows[i];
    CAPTURE(a.path);
    CHECK(a.out == b.out);
    CHECK(a.parameters == b.parameters);
    CHECK(a.macs == b.macs);
    CHECK(a.bops == b.bops);
    CHECK(a.relus == b.relus);
    CHECK(a.activations == b.activations);
    CHECK(a.storage_bits == b.storage_bits);
  }
}

}  // namespace

TEST_CASE("prune: channels that went cost nothing, and the smaller network computes the same") {
  Big net = network();
  const Pruning half{.unit = Pruning::Unit::channels, .ratios = {0.5, 0.25}};
  CHECK(search::prunable(std::as_const(net).graph(), half) ==
        std::vector<std::string>{"conv1", "block.conv1"});
  const auto before = cost::table(net).total();
  check_costs(cost::pruned_table(net), cost::table(net));
  const std::vector<float> filters = net.get("block.conv1.weight").values;
  const search::PruningResult result = search::prune(net, half);
  Net<4, 9> small(9);
  check_costs(cost::pruned_table(net), cost::table(small));
  CHECK(result.macs == cost::table(small).total().macs);
  CHECK(result.macs < before.macs / 2);
  search::transfer_pruned(net, small);
  const std::vector<float> expected = logits(net), found = logits(small);
  for (std::size_t i = 0; i < found.size(); ++i)
    CHECK(found[i] == doctest::Approx(expected[i]).epsilon(1e-6));
  // the three filters of the smallest L1 norm
  std::vector<std::pair<double, bool>> sums;
  for (int o = 0; o < 12; ++o) {
    double sum = 0;
    for (int i = 0; i < 72; ++i) sum += std::abs(filters[std::size_t(o * 72 + i)]);
    sums.emplace_back(sum, net.get("block.bn1.weight").values[std::size_t(o)] == 0);
  }
  std::sort(sums.begin(), sums.end());
  for (int o = 0; o < 12; ++o) CHECK(sums[std::size_t(o)].second == (o < 3));
  Net<5, 9> other(1);
  CHECK(error_of<ShapeError>([&] { search::transfer_pruned(net, other); }) ==
        "transfer_pruned: 'conv1.weight': 108 elements are left, the small network has 135");
}

TEST_CASE("prune: the smallest weights, of each layer or of all") {
  Big net = network(), global = network();
  search::prune(net, {.ratios = {0.5}, .spared = {"conv1", "fc"}});
  CHECK(zeros(net, "conv1.weight") == 0);
  CHECK(zeros(net, "fc.weight") == 0);
  CHECK(zeros(net, "block.conv2.weight") == 8 * 12 * 9 / 2);
  const std::vector<float> old = global.get("dw.weight").values, now = net.get("dw.weight").values;
  float largest = 0, smallest = 1e9f;
  for (std::size_t i = 0; i < old.size(); ++i)
    (now[i] == 0 ? largest : smallest) =
        now[i] == 0 ? std::max(largest, std::abs(old[i])) : std::min(smallest, std::abs(old[i]));
  CHECK(largest <= smallest);
  search::prune(global, {.ratios = {0.9}, .global = true});
  long all = 0, gone = 0;
  for (const NamedParameter& p : std::as_const(global).graph().parameters) {
    if (p.kind != ParameterKind::weight) continue;
    all += long(p.count);
    gone += zeros(global, p.name);
    CHECK(zeros(global, p.name) < long(p.count));
  }
  CHECK(gone == long(0.9 * double(all)));
}

TEST_CASE("prune: a budget is kept to by the smallest ratio that does") {
  const auto whole = cost::table(network()).total().macs;
  for (const auto unit : {Pruning::Unit::weights, Pruning::Unit::channels}) {
    Big net = network(), less = network();
    const auto found = search::prune(net, {.unit = unit, .macs = whole / 2});
    CHECK(found.macs <= whole / 2);
    CHECK(found.macs == cost::pruned_table(net).total().macs);
    const auto [low, high] = std::minmax_element(found.ratios.begin(), found.ratios.end());
    CHECK(*high - *low < 1.01e-4);
    CHECK(search::prune(less, {.unit = unit, .ratios = {*high - 1e-4}}).macs > whole / 2);
  }
}

TEST_CASE("prune: what it refuses") {
  Big net = network();
  const auto refused = [&](const Pruning& o) {
    return error_of<UsageError>([&] { search::prune(net, o); });
  };
  CHECK(refused({.ratios = {1}}) == "prune: expected ratios from 0 to below 1, found 1");
  CHECK(refused({.ratios = {NAN}}) == "prune: expected ratios from 0 to below 1, found nan");
  CHECK(refused({.ratios = {0.1, 0.2, 0.3}}) == "prune: expected one ratio or 5, found 3");
  CHECK(refused({}) ==
        "prune: expected ratios or a budget of multiply-accumulates, one of the two");
  const std::string range = "prune: expected a budget of 257 to 129536 multiply-accumulates, ";
  CHECK(refused({.macs = 256}) == range + "found 256");
  CHECK(refused({.macs = 129537}) == range + "found 129537");
  CHECK(refused({.ratios = {0.5}, .spared = {"conv9"}}) ==
        "prune: no convolution or linear layer is called 'conv9'");
  CHECK(refused({.ratios = {0.5}, .spared = {"*"}}) ==
        "prune: the network has nothing to prune besides what is spared");
  CHECK(refused({.unit = Pruning::Unit::channels, .ratios = {0.5}, .global = true}) ==
        "prune: channels of different layers are not ranked together");
  std::vector<float> weights = net.get("fc.weight").values;
  weights[5] = NAN;
  net.set("fc.weight", weights);
  CHECK(error_of<NumericError>([&] { search::prune(net, {.ratios = {0.5}}); }) ==
        "prune: 'fc.weight' holds a value that is not finite");
  Graph graph = std::as_const(net).graph();
  graph.nodes[std::size_t(graph.find("dw"))].weight_bits = 4;
  CHECK(error_of<UsageError>([&] { search::prunable(graph, {}); }) ==
        "prune: 'dw' has weights of 4 bits, of which a zero need not be one; networks of full "
        "precision are pruned");
}
