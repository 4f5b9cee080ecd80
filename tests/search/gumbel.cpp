// Probe: a width-searched stage, its differentiable cost, and the found widths run inside the
// maxima and as the emitted static type.
#include <array>
#include <sstream>

#include <rnx/cost.hpp>

#include "search/emitted_stage.hpp"
#include "search/support.hpp"

using namespace test;
using namespace rnx::search;

namespace {

template <class Stage>
using Classifier = Network<
    Sequential<Named<"stage", Stage>, Named<"pool", GlobalAveragePool>, Named<"fc", Linear<5>>>,
    Shape<20, 8, 8>, cpu, precision::Double>;
using Searched = Classifier<MaskedStage<4, 20, 2, 6, 64, 60, 56, 52>>;
using Chosen = Classifier<FoundStage<4, 20, 2, 6, 64>>;
using Static = Network<found::SearchedStage, found::SearchedStageInput, cpu, precision::Double>;

const std::vector<int> widths{52, 56, 52, 52};  // no identity, none, none, an identity

Tensor<double> images(int n) {
  auto values = golden::batch(0, n, 20 * 8 * 8);
  for (double& v : values) v = 2 * v - 1;
  return Tensor<double>::from_nchw(n, {20, 8, 8}, values);
}
/// The rule's values; thetas that differ, so that softmax has a slope.
template <class N> void fill(N& net) {
  for (const auto* list : {&net.graph().parameters, &net.graph().buffers})
    for (const auto& p : *list) {
      std::vector<double> values = p.kind == ParameterKind::architecture
                                       ? golden::u_values("theta." + p.name, p.count)
                                       : golden::rule_values(p.name, p.shape);
      net.set(p.name, values);
    }
}
std::span<const double> values_of(const NetworkBase<double>& net, const std::string& name) {
  for (const auto& p : net.graph().parameters)
    if (p.name == name) return {net.parameters() + p.offset, p.count};
  throw NameError(name);
}

/// Theta so far apart that every draw is one-hot, to the last bit: each mask chooses widths[b].
template <class N> void choose(N& net, const std::vector<int>& chosen) {
  std::size_t b = 0;
  for (const Node& node : net.graph().nodes) {
    if (node.kind != Kind::mask) continue;
    std::vector<double> theta(node.widths.size());
    for (std::size_t i = 0; i < theta.size(); ++i)
      theta[i] = node.widths[i] == chosen[b] ? 2000 : 0;
    net.set(node.path + ".theta", theta);
    ++b;
  }
}
/// Multiply-accumulates of the layers below `path`, as the cost room counts them.
double macs_below(const std::string& path, const cost::Table& table) {
  long long macs = 0;
  for (const cost::Row& row : table.rows)
    if (row.path.starts_with(path)) macs += row.macs;
  return double(macs);
}
double counted(const Chosen& net, const std::vector<int>& chosen) {
  const Subnet subnet = width_subnet(net, chosen);
  auto trace = net.make_trace({});
  net.forward(trace, images(1).view(), {.subnet = &subnet});
  return macs_below("stage.", cost::table(net.graph(), trace));
}
/// The polynomial of second degree in each width that agrees with the counted networks of three
/// widths per block, at soft widths.
double interpolated(const Chosen& net, const std::vector<double>& soft) {
  const std::array<int, 3> at{52, 60, 64};
  double sum = 0;
  for (int k = 0; k < 81; ++k) {
    std::vector<int> chosen(4);
    double factor = 1;
    for (int b = 0, rest = k; b < 4; ++b, rest /= 3) {
      chosen[b] = at[rest % 3];
      for (int other : at)
        if (other != chosen[b]) factor *= (soft[b] - other) / (chosen[b] - other);
    }
    sum += factor * counted(net, chosen);
  }
  return sum;
}

static_assert(ChannelMask<64, 60>::fault({64, 4, 4}) == Fault::none &&
              ChannelMask<65>::fault({64, 4, 4}) == Fault::mask);
static_assert(ChannelMask<60, 64>::fault({64, 4, 4}) == Fault::mask &&
              ChannelMask<8, 0>::fault({64, 4, 4}) == Fault::mask &&
              ChannelMask<>::fault({64, 4, 4}) == Fault::mask);

}  // namespace

TEST_CASE("gumbel: one draw per block and forward, the same for mask, trace and cost") {
  Searched net(0);
  fill(net);
  const auto x = images(2);
  const StepValues values{.seed = 5, .draw = 3, .temperature = 1.7};
  auto trace = net.make_trace({.use = Use::train,
                               .capacity = 2,
                               .keep = {Keep::every(Kind::mask), Keep::every(Kind::join)}});
  net.forward(trace, x.view(), {.mode = Mode::train, .values = &values, .draw = 2});
  MaskCost<double> cost(net.graph());
  REQUIRE(cost.blocks().size() == 4);
  const double found = cost.value(trace);
  double worst = 0;
  const std::vector<std::vector<int>> options(4, {64, 60, 56, 52});
  for (int b = 0; b < 4; ++b) {
    const std::string path = "stage." + std::to_string(b);
    const int node = net.graph().find(path + ".mask");
    CHECK(net.graph().nodes[node].widths == options[b]);
    const auto theta = values_of(net, path + ".mask.theta");
    const rng::Stream random(5, Purpose::gumbel, 5, std::uint64_t(node));
    double g[4], sum = 0, out = 0;
    for (int i = 0; i < 4; ++i) sum += g[i] = std::exp((theta[i] + random.gumbel(i)) / 1.7);
    for (int i = 0; i < 4; ++i) {
      g[i] /= sum;
      out += g[i] * options[b][i];
      worst = std::max(worst, std::abs(trace.saved(node)[i] - g[i]));
    }
    const auto& y = trace.activation(path + ".mask").value;
    const auto& records = trace.records()[node];
    for (int k = 0; k < 64; ++k) {
      double factor = 0;
      for (int i = 0; i < 4; ++i) factor += k < options[b][i] ? g[i] : 0;
      if (b)
        worst = std::max(worst, std::abs(y.data[k] - factor * records.x.data[k]));  // kept joins
    }
    CHECK(std::abs(cost.widths()[b] - out) < 1e-12);
  }
  CHECK(worst < 1e-14);
  const Chosen chosen(0);
  CHECK(found == doctest::Approx(interpolated(chosen, cost.widths())).epsilon(1e-9));
  const auto first = to_host(trace.logits());
  net.forward(trace, x.view(), {.mode = Mode::train, .values = &values, .draw = 2});
  CHECK(golden::difference(to_host(trace.logits()), first) == 0);
  net.forward(trace, x.view(), {.mode = Mode::train, .values = &values, .draw = 3});
  CHECK(golden::difference(to_host(trace.logits()), first) > 0);
  auto infer = net.make_trace({.capacity = 2});
  net.forward(infer, x.view(), {.values = &values});
  CHECK_THROWS_AS(cost.add_gradient(infer, 1), StateError);
}

TEST_CASE("gumbel: the cost at one-hot draws is what the cost room counts of that network") {
  Searched net(0);
  fill(net);
  const Chosen chosen(0);
  auto trace = net.make_trace({.capacity = 1});
  MaskCost<double> cost(net.graph());
  for (const auto& w :
       {std::vector<int>{64, 64, 64, 64}, widths, std::vector<int>{60, 52, 64, 56}}) {
    choose(net, w);
    net.forward(trace, images(1).view(), {});
    CHECK(cost.value(trace) == counted(chosen, w));
    CHECK(cost.widths() == std::vector<double>(w.begin(), w.end()));
  }
  CHECK(counted(chosen, widths) == macs_below("stage.", cost::table(Static(0).graph())));
}

TEST_CASE("gumbel: the cost of S3's maxima (paper 001)") {
  using S3 = Network<Sequential<Named<"stem", Conv<16, 3, Stride<2>>>,
                                Named<"stage1", MaskedStage<3, 16, 1, 6, 16, 12>>,
                                Named<"stage2", MaskedStage<3, 16, 2, 6, 32, 28, 24, 20>>,
                                Named<"stage3", MaskedStage<3, 32, 2, 6, 64, 60, 56, 52>>>,
                     Shape<3, 32, 32>, cpu, precision::Double>;
  S3 net(0);
  choose(net, {16, 16, 16, 32, 32, 32, 64, 64, 64});
  auto trace = net.make_trace({});
  net.forward(trace, Tensor<double>(1, {3, 32, 32}).view(), {});
  MaskCost<double> cost(net.graph());
  const double found = cost.value(trace);
  CHECK(found == macs_below("stage", cost::table(net.graph())));
  CHECK(found == 7762944);
}

TEST_CASE("gumbel: a block that the cost does not describe is refused") {
  using Plain =
      Network<Sequential<Conv<8, 3>, ChannelMask<8, 4>>, Shape<4, 4, 4>, cpu, precision::Double>;
  CHECK_THROWS_WITH_AS(MaskCost<double>(Plain(0).graph()),
                       "MaskCost: between '1' and the mask before it expected conv2d, depthwise, "
                       "conv2d, found conv2d",
                       UsageError);
  using Gated = Network<Sequential<Conv<16, 1>, Depthwise<3>, models::SqueezeExcite<16>, Conv<8, 1>,
                                   ChannelMask<8, 4>>,
                        Shape<4, 4, 4>, cpu, precision::Double>;
  CHECK_THROWS_AS(MaskCost<double>(Gated(0).graph()), UsageError);
}

TEST_CASE("gumbel: with one-hot draws the super-net is the found network") {
  // Where consecutive widths agree. The super-net's expanded channels do not shrink with the mask
  // before them: norms of zero silence those that the found network does not have.
  const std::vector<int> found{52, 52, 52, 52};
  Searched net(0);
  fill(net);
  for (int b = 1; b < 4; ++b)
    for (const char* name : {".bn1.weight", ".bn1.bias", ".bn2.weight", ".bn2.bias"}) {
      const std::string path = "stage." + std::to_string(b) + name;
      const auto now = values_of(net, path);
      std::vector<double> values(now.begin(), now.end());
      std::fill(values.begin() + 6 * 52, values.end(), 0.0);
      net.set(path, values);
    }
  choose(net, found);
  Chosen chosen(0);
  transfer(net, net.make_subnet({}), chosen);
  const Subnet subnet = width_subnet(chosen, found_widths(net));
  CHECK(found_widths(net) == found);
  const auto x = images(4);
  auto soft = net.make_trace({.use = Use::train, .capacity = 4}),
       hard = chosen.make_trace({.use = Use::train, .capacity = 4});
  auto soft_grads = net.make_grads(), hard_grads = chosen.make_grads();
  const StepValues values{.seed = 5, .temperature = 1.7};
  for (const Mode mode : {Mode::eval, Mode::train}) {
    net.forward(soft, x.view(), {.mode = mode, .values = &values});
    chosen.forward(hard, x.view(), {.mode = mode, .subnet = &subnet});
    CHECK(golden::difference(to_host(soft.logits()), to_host(hard.logits())) <
          1e-14);  // sums with zeros between
  }
  mean_loss(soft, golden::labels(0, 4, 5));
  mean_loss(hard, golden::labels(0, 4, 5));
  Tensor<double> soft_dx(4, x.dims()), hard_dx(4, x.dims());
  net.backward(soft, soft_dx.view(), &soft_grads);
  chosen.backward(hard, hard_dx.view(), &hard_grads);
  CHECK(golden::difference(soft_dx.download(), hard_dx.download()) < 1e-12);
  const std::vector<char> used = used_parameters(chosen, subnet);
  std::size_t compared = 0;
  double worst = 0;
  for (const auto& p : chosen.graph().parameters) {
    const auto same = std::find_if(net.graph().parameters.begin(), net.graph().parameters.end(),
                                   [&](const NamedParameter& q) { return q.name == p.name; });
    for (std::size_t i = 0; i < p.count; ++i) {
      if (!used[p.offset + i]) continue;
      worst = std::max(worst, std::abs(soft_grads.flat.data()[same->offset + i] -
                                       hard_grads.flat.data()[p.offset + i]));
      ++compared;
    }
  }
  CHECK(compared > 50000);
  CHECK(worst < 1e-12);
}

TEST_CASE("gumbel: gradients of input, weights and theta, with the cost's seed") {
  Searched net(0);
  fill(net);
  auto x = images(3);
  const StepValues values{.seed = 5, .temperature = 1.3};
  const Context ctx{.mode = Mode::train, .values = &values};
  const auto labels = golden::labels(0, 3, 5);
  auto trace = net.make_trace({.use = Use::train, .capacity = 3});
  MaskCost<double> cost(net.graph());
  const CostFactor factor{.alpha = 0.2, .beta = 0.5};
  const auto objective = [&] {
    net.mutable_parameters();  // the values were changed in place
    net.forward(trace, std::as_const(x).view(), ctx);
    return factor(mean_loss(trace, labels), cost.value(trace)).value;
  };
  objective();
  const auto r = factor(mean_loss(trace, labels), cost.value(trace));
  mean_loss(trace, labels, r.d_loss);
  cost.add_gradient(trace, r.d_cost);
  auto grads = net.make_grads();
  Tensor<double> dx(3, x.dims());
  net.backward(trace, dx.view(), &grads);
  CHECK(directional_error({x.data(), x.size()}, {dx.data(), dx.size()}, 0, objective) < 1e-6);
  for (const auto& p : net.graph().parameters) {
    CAPTURE(p.name);
    CHECK(directional_error({net.mutable_parameters() + p.offset, p.count},
                            {grads.flat.data() + p.offset, p.count}, p.offset + 1,
                            objective) < 1e-6);
  }
  // a seed lasts for one forward
  const std::vector<double> with_seed(grads.flat.data(), grads.flat.data() + grads.flat.size());
  for (const bool seeded : {false, true}) {
    net.forward(trace, std::as_const(x).view(), ctx);
    mean_loss(trace, labels, r.d_loss);
    if (seeded) {
      cost.value(trace);
      cost.add_gradient(trace, r.d_cost);
    }
    grads.zero();
    net.backward(trace, {}, &grads);
    CHECK((golden::difference(std::span(grads.flat.data(), grads.flat.size()), with_seed) == 0) ==
          seeded);
  }
  // the objective's two derivatives
  const double h = 1e-4, l = 1.5, c = 3e6;
  CHECK(factor(l, c).d_loss ==
        doctest::Approx((factor(l + h, c).value - factor(l - h, c).value) / (2 * h)).epsilon(1e-9));
  CHECK(factor(l, c).d_cost ==
        doctest::Approx((factor(l, c + 100).value - factor(l, c - 100).value) / 200).epsilon(1e-9));
  CHECK_THROWS_AS(factor(1, 0), NumericError);
}

TEST_CASE("gumbel: found widths inside the maxima equal the emitted static type") {
  Searched searched(0);
  fill(searched);
  for (int b = 0; b < 4; ++b) {
    std::vector<double> theta(4, 0.25);
    theta[(64 - widths[b]) / 4] = 1;
    searched.set("stage." + std::to_string(b) + ".mask.theta", theta);
  }
  CHECK(found_widths(searched) == widths);
  Chosen chosen(0);
  transfer(searched, searched.make_subnet({}), chosen);
  const Subnet subnet = width_subnet(chosen, found_widths(searched));
  Static small(0);
  transfer(chosen, subnet, small);
  const auto x = images(4);
  auto inside = chosen.make_trace({.use = Use::train, .capacity = 4}),
       alone = small.make_trace({.use = Use::train, .capacity = 4});
  auto inside_grads = chosen.make_grads(), alone_grads = small.make_grads();
  for (const Mode mode : {Mode::eval, Mode::train}) {
    chosen.forward(inside, x.view(), {.mode = mode, .subnet = &subnet});
    small.forward(alone, x.view(), {.mode = mode});
    CHECK(golden::difference(to_host(inside.logits()), to_host(alone.logits())) < 1e-12);
  }
  mean_loss(inside, golden::labels(0, 4, 5));
  mean_loss(alone, golden::labels(0, 4, 5));
  Tensor<double> dx(4, x.dims()), small_dx(4, x.dims());
  chosen.backward(inside, dx.view(), &inside_grads);
  small.backward(alone, small_dx.view(), &alone_grads);
  CHECK(golden::difference(dx.download(), small_dx.download()) < 1e-12);
  const std::vector<char> used = used_parameters(chosen, subnet);
  std::size_t outside = 0;
  for (std::size_t i = 0; i < used.size(); ++i)
    outside += !used[i] && inside_grads.flat.data()[i] != 0;
  CHECK(outside == 0);
  Chosen holder(0);
  Static gathered(0);
  std::copy_n(inside_grads.flat.data(), inside_grads.flat.size(), holder.mutable_parameters());
  transfer(holder, subnet, gathered);
  CHECK(golden::difference(std::span(gathered.parameters(), gathered.parameter_storage()),
                           std::vector<double>(alone_grads.flat.data(),
                                               alone_grads.flat.data() + alone_grads.flat.size())) <
        1e-12);

  std::ifstream file(std::string(RNX_TEST_DIR) + "/search/emitted_stage.hpp");
  std::stringstream text;
  text << file.rdbuf();
  CHECK(static_type(chosen, subnet, "SearchedStage") == text.str());
  CHECK_THROWS_AS(static_type(chosen, subnet, "2nd"), UsageError);
  CHECK_THROWS_AS(width_subnet(chosen, std::vector<int>{52, 56}), UsageError);
}
