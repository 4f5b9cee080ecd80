// Probe: an elastic stage (width, expansion, kernel, depth at run time) against PyTorch, and
// against the small static networks of its subnets.
#include <limits>

#include "rnx/optim/cpu.hpp"
#include "search/support.hpp"

using namespace test;
using namespace rnx::search;

namespace {

using Net = Network<Sequential<Named<"stage", ElasticStage<2, 16, 24, 4, 1>>,
                               Named<"pool", GlobalAveragePool>, Named<"fc", Linear<5>>>,
                    Shape<16, 8, 8>, cpu, precision::Double>;
using SmallA =
    Network<Sequential<Named<"stage", Sequential<models::InvertedResidual<16, 48, 16, 5, 1, true>,
                                                 models::InvertedResidual<16, 32, 24, 3, 1, true>>>,
                       Named<"pool", GlobalAveragePool>, Named<"fc", Linear<5>>>,
            Shape<16, 8, 8>, cpu, precision::Double>;
using SmallB =
    Network<Sequential<Named<"stage", Sequential<models::InvertedResidual<16, 64, 24, 7, 1, true>>>,
                       Named<"pool", GlobalAveragePool>, Named<"fc", Linear<5>>>,
            Shape<16, 8, 8>, cpu, precision::Double>;

const golden::json& expected() {
  static const golden::json file = golden::load("elastic");
  return file;
}
Tensor<double> batch(int k) {
  auto values = golden::batch(k, 4, 16 * 8 * 8);
  for (double& v : values) v = 2 * v - 1;
  return Tensor<double>::from_nchw(4, {16, 8, 8}, values);
}
Subnet subnet(const Net& net, const std::string& name) {
  const auto& blocks = expected().at("subnets").at(name);
  std::vector<Net::Choice> choices{{"stage", "depth", int(blocks.size())}};
  for (std::size_t b = 0; b < blocks.size(); ++b)
    for (const auto& [what, layer] :
         {std::pair{"expansion", "conv1"}, {"width", "conv3"}, {"kernel", "conv2"}})
      choices.push_back(
          {"stage." + std::to_string(b) + "." + layer, what, blocks[b].at(what).get<int>()});
  return net.make_subnet(choices);
}
/// A network with the rule's weights, a trace, gradients, and one training pass.
template <class N> struct Runner {
  N net{0};
  Trace<double> trace;
  Grads<double> grads;
  explicit Runner(std::vector<Keep> keep = {})
      : trace(net.make_trace({.use = Use::train, .capacity = 4, .keep = std::move(keep)})),
        grads(net.make_grads()) {
    golden::fill(net);
  }
  double run(const Tensor<double>& x, const Subnet* s, int labels = 0,
             Tensor<double>* dx = nullptr) {
    net.forward(trace, x.view(), {.mode = Mode::train, .subnet = s});
    const double loss = mean_loss(trace, golden::labels(labels, 4, 5));
    grads.zero();
    if (dx) *dx = Tensor<double>(x.n(), x.dims());
    net.backward(trace, dx ? dx->view() : View<double>{}, &grads);
    return loss;
  }
};
/// f(parameter or buffer, its values, its gradient or nothing).
template <class N, class F> void each_value(const N& net, const Grads<double>* grads, F f) {
  for (const auto& p : net.graph().parameters)
    f(p, std::span(net.parameters() + p.offset, p.count),
      grads ? std::span(grads->flat.data() + p.offset, p.count) : std::span<const double>{});
  if (!grads)
    for (const auto& b : net.graph().buffers)
      f(b, std::span(net.buffers() + b.offset, b.count), std::span<const double>{});
}
double tensor_error(const golden::json& record, std::span<const double> values) {
  // a golden zero but for rounding (README: stage.0.bn3.bias in subnet A) is compared absolutely
  if (record.at("norm").get<double>() < 1e-12)
    return golden::difference(values, std::vector<double>(values.size(), 0.0));
  return golden::compare_record(record, values);
}
template <class N> double small_error(const std::string& name, bool kernels) {
  Runner<Net> big;
  const Subnet s = subnet(big.net, name);
  Runner<N> small;
  transfer(big.net, s, small.net);
  const auto x = batch(0);
  Tensor<double> dx, small_dx;
  const double difference = std::abs(big.run(x, &s, 0, &dx) - small.run(x, nullptr, 0, &small_dx));
  double worst = std::max(
      difference, golden::difference(to_host(big.trace.logits()), to_host(small.trace.logits())));
  worst = std::max(worst, golden::difference(dx.download(), small_dx.download()));
  big.net.commit_statistics(big.trace);
  small.net.commit_statistics(small.trace);
  N copy{0}, gradients{0};
  transfer(big.net, s, copy);  // running statistics of the slice
  worst = std::max(worst, golden::difference(std::span(copy.buffers(), copy.buffer_storage()),
                                             std::vector<double>(small.net.buffers(),
                                                                 small.net.buffers() +
                                                                     small.net.buffer_storage())));
  Net holder{0};
  std::copy_n(big.grads.flat.data(), big.grads.flat.size(), holder.mutable_parameters());
  transfer(holder, s, gradients);
  each_value(
      gradients, &small.grads,
      [&](const NamedParameter& p, auto big_gradient, auto small_gradient) {
        if (kernels ||
            p.name.find("conv2") == p.name.npos)  // a transformed kernel has other parameters
          worst = std::max(
              worst, golden::difference(big_gradient, std::vector<double>(small_gradient.begin(),
                                                                          small_gradient.end())));
      });
  return worst;
}

template <class Stage>
using Classified = Network<Sequential<Named<"stem", Conv<16, 3>>, Named<"stage", Stage>,
                                      Named<"pool", GlobalAveragePool>, Named<"fc", Linear<5>>>,
                           Shape<16, 8, 8>, cpu, precision::Double>;

/// Gradients of a stage of four blocks under depth 1, against its first block alone: the largest
/// difference.
template <class First, class Rest> double depth_error() {
  Classified<Repeat<4, First, Rest, 1>> elastic(5), holder(0);
  Classified<Repeat<1, First>> fixed(6), gathered(0);
  const Subnet s = elastic.make_subnet({{"stage", "depth", 1}});
  transfer(elastic, s, fixed);
  const auto x = batch(0);
  const auto gradients = [&](const auto& net, const Subnet* subnet, double* to, std::size_t count) {
    auto trace = net.make_trace({.use = Use::train, .capacity = 4});
    auto grads = net.make_grads();
    Tensor<double> dx(4, x.dims());
    net.forward(trace, x.view(), {.mode = Mode::train, .subnet = subnet});
    mean_loss(trace, golden::labels(0, 4, 5));
    net.backward(trace, dx.view(), &grads);
    std::copy_n(grads.flat.data(), count, to);
    return dx.download();
  };
  std::vector<double> expected(fixed.parameter_storage());
  const auto dx = gradients(elastic, &s, holder.mutable_parameters(), holder.parameter_storage());
  const auto fixed_dx = gradients(fixed, nullptr, expected.data(), expected.size());
  transfer(holder, s, gathered);
  return std::max(
      golden::difference(dx, fixed_dx),
      golden::difference(std::span(gathered.parameters(), gathered.parameter_storage()), expected));
}

}  // namespace

TEST_CASE("elastic: subnets equal PyTorch") {
  for (const std::string name : {"A", "B", "C"}) {
    CAPTURE(name);
    Runner<Net> pass;
    const Subnet s = subnet(pass.net, name);
    const auto& golden = expected().at(name);
    const auto x = batch(0);
    CHECK(std::abs(pass.run(x, &s) - golden.at("loss_mean").get<double>()) < 1e-9);
    CHECK(golden::compare_record(golden.at("logits"), to_host(pass.trace.logits())) < 1e-9);
    std::size_t seen = 0;
    each_value(pass.net, &pass.grads, [&](const NamedParameter& p, auto, auto gradient) {
      CAPTURE(p.name);
      REQUIRE(golden.at("grads").contains(p.name));
      CHECK(tensor_error(golden.at("grads").at(p.name), gradient) < 1e-9);
      ++seen;
    });
    CHECK(seen == golden.at("grads").size());
    pass.net.commit_statistics(pass.trace);
    for (const auto& b : pass.net.graph().buffers)
      CHECK(golden::compare_record(
                golden.at("running").at(b.name),
                std::span(std::as_const(pass.net).buffers() + b.offset, b.count)) < 1e-9);
    pass.net.forward(pass.trace, x.view(), {.subnet = &s});
    CHECK(golden::compare_record(golden.at("eval_logits_after"), to_host(pass.trace.logits())) <
          1e-9);
  }
}

TEST_CASE("elastic: three steps over A, B, A equal PyTorch, inactive slices included") {
  Runner<Net> pass;
  const auto& sgd = expected().at("sgd");
  const StepValues values{.lr = sgd.at("lr"), .momentum = sgd.at("momentum")};
  std::vector<double> velocity(pass.net.parameter_storage());
  for (int k = 0; k < 3; ++k) {
    const Subnet s = subnet(pass.net, sgd.at("order")[k]);
    const auto x = batch(k);
    CHECK(std::abs(pass.run(x, &s, k) - sgd.at("losses")[k].get<double>()) < 1e-9);
    pass.net.commit_statistics(pass.trace);
    run<cpu>({}, op::sgd_step<double>{.count = velocity.size(),
                                      .lr_factor = 1.0,
                                      .decay = sgd.at("weight_decay"),
                                      .nesterov = false,
                                      .first = k == 0,
                                      .values = &values,
                                      .clip = nullptr,
                                      .gradient = pass.grads.flat.data(),
                                      .velocity = velocity.data(),
                                      .parameter = pass.net.mutable_parameters()});
  }
  each_value(pass.net, nullptr, [&](const NamedParameter& p, auto found, auto) {
    CAPTURE(p.name);
    CHECK(tensor_error(
              (sgd.at("params").contains(p.name) ? sgd.at("params") : sgd.at("running")).at(p.name),
              found) < 1e-9);
  });
}

TEST_CASE("elastic: subnets equal the small static networks") {
  CHECK(small_error<SmallA>("A", false) < 1e-12);
  CHECK(small_error<SmallB>("B", true) < 1e-12);
  Net net(0);
  SmallB small(0);
  CHECK_THROWS_AS(transfer(net, subnet(net, "A"), small), ShapeError);
  const auto x = batch(0);
  auto trace = net.make_trace({.capacity = 4});
  const Subnet bad = net.make_subnet({{"*.conv2", "kernel", 4}});
  CHECK_THROWS_AS(net.forward(trace, x.view(), {.subnet = &bad}), UsageError);
}

TEST_CASE("elastic: what is outside a subnet is neither read nor written") {
  const double poison = std::numeric_limits<double>::quiet_NaN();
  const auto x = batch(0);
  for (const std::string name : {"A", "B", "C"}) {
    CAPTURE(name);
    std::vector<Keep> every;
    for (int kind = 0; kind <= int(Kind::side); ++kind) every.push_back(Keep::every(Kind(kind)));
    Runner<Net> clean, dirty(every);
    const Subnet s = subnet(clean.net, name);
    const double loss = clean.run(x, &s);

    // a NaN input and NaN weights, at the maxima: every activation, statistic and gradient of the
    // arena holds a NaN
    Tensor<double> nan_x(4, {16, 8, 8});
    std::fill_n(nan_x.data(), nan_x.size(), poison);
    std::fill_n(dirty.net.mutable_parameters(), dirty.net.parameter_storage(), poison);
    dirty.run(nan_x, nullptr);
    std::vector<std::vector<double>> before;
    for (const auto& a : dirty.trace.activations()) before.push_back(to_host(a.value));

    golden::fill(dirty.net);
    const std::vector<char> used = used_parameters(clean.net, s);
    std::size_t outside = 0, gradients = 0;
    for (std::size_t i = 0; i < used.size(); ++i)
      if (!used[i]) {
        dirty.net.mutable_parameters()[i] = poison;
        ++outside;
        gradients += clean.grads.flat.data()[i] != 0;
      }
    CHECK(outside > 5000);
    CHECK(gradients == 0);
    CHECK(dirty.run(x, &s) == loss);
    CHECK(std::memcmp(clean.grads.flat.data(), dirty.grads.flat.data(),
                      clean.grads.flat.size() * sizeof(double)) == 0);
    CHECK(golden::difference(to_host(dirty.trace.logits()), to_host(clean.trace.logits())) == 0);
    std::size_t inactive = 0, touched = 0;
    for (std::size_t k = 0; k < before.size(); ++k) {
      const auto& v = dirty.trace.activations()[k].value;
      if (!dirty.trace.activations()[k].active) continue;
      for (std::size_t pixel = 0; pixel < std::size_t(v.n) * v.dims.pixels(); ++pixel)
        for (int c = v.dims.c; c < v.stride; ++c) {
          ++inactive;
          touched += std::memcmp(&v.data[pixel * v.stride + c], &before[k][pixel * v.stride + c],
                                 sizeof(double)) != 0;
        }
    }
    CHECK(touched == 0);
    CHECK((inactive > 1000 || name == "B"));  // B runs its one block at the maxima
    dirty.net.commit_statistics(dirty.trace);
    clean.net.commit_statistics(clean.trace);
    CHECK(std::memcmp(clean.net.buffers(), dirty.net.buffers(),
                      clean.net.buffer_storage() * sizeof(double)) == 0);
  }
}

TEST_CASE("elastic: the static type of a subnet is spelled") {
  Net net(0);
  const auto count = [](const std::string& text, const std::string& part) {
    int k = 0;
    for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++k;
    return k;
  };
  const Subnet a = subnet(net, "A"), b = subnet(net, "B");
  const std::string two = static_type(net, a, "A"), one = static_type(net, b, "B");
  for (const char* part : {"Conv<48, 1>", "Depthwise<5>", "Depthwise<3>", "Conv<16, 1, Bias<true>>",
                           "Conv<8, 1, Bias<true>>", "join::Add,"})
    CHECK(count(two, part) == 1);
  CHECK(count(two, "join::Gate") == 2);
  CHECK(count(one, "conv1") == 1);
  CHECK(count(one, "Depthwise<7>") == 1);
  CHECK(count(one, "join::Add") == 0);
}

TEST_CASE("elastic: a shallow stage keeps what its backward reads") {
  using Narrow = Residual<Sequential<Conv<16, 3>, act::Relu>, Conv<16, 1>>;
  using Wide = Residual<Sequential<Conv<64, 3>, act::Relu, Conv<16, 3>>,
                        Conv<16, 1>>;  // its gradients would fit over the stage's
  CHECK(depth_error<Wide, Narrow>() < 1e-12);
  CHECK(depth_error<Sequential<Wide, act::Relu>, Sequential<Narrow, act::Relu>>() < 1e-12);
}

TEST_CASE("elastic: a seed at a stage's output is used whichever block writes it") {
  const auto x = batch(0);
  std::vector<double> gradients[2];
  for (int at : {0, 1}) {  // under B, block 0 writes the stage's output
    Runner<Net> pass({Keep::at("stage." + std::to_string(at) + ".add").seeded()});
    const Subnet b = subnet(pass.net, "B");
    pass.net.forward(pass.trace, x.view(), {.mode = Mode::train, .subnet = &b});
    mean_loss(pass.trace, golden::labels(0, 4, 5), 0);
    const auto& seed = pass.trace.activations()[0].seed;
    for (std::size_t i = 0; i < seed.count(); ++i) seed.data[i] = golden::u("seed", i);
    pass.net.backward(pass.trace, {}, &pass.grads);
    gradients[at] = pass.grads.flat.download();
  }
  CHECK(golden::difference(gradients[0], gradients[1]) == 0);
  CHECK(golden::difference(gradients[0], std::vector<double>(gradients[0].size(), 0.0)) > 0.1);
}

TEST_CASE("elastic: a branch that a sum leaves out gets no gradient") {
  using Both = Network<Sequential<Parallel<join::AddWhereEqual, Conv<8, 1, width::Chosen>,
                                           Conv<8, 3, width::Chosen>>,
                                  GlobalAveragePool, Linear<5>>,
                       Shape<16, 8, 8>, cpu, precision::Double>;
  Both net(3);
  auto trace = net.make_trace({.use = Use::train, .capacity = 4});
  auto grads = net.make_grads();
  const auto x = batch(0);
  for (const int width : {8, 4}) {
    const Subnet s = net.make_subnet({{"0.0", "width", width}, {"0.1", "width", 8}});
    net.forward(trace, x.view(), {.subnet = &s});
    mean_loss(trace, golden::labels(0, 4, 5));
    grads.zero();
    Tensor<double> dx(4, x.dims());
    net.backward(trace, dx.view(), &grads);
    double sums[2] = {};
    for (int branch : {0, 1}) {
      const auto& p = net.graph().parameters[branch];
      for (std::size_t i = 0; i < p.count; ++i)
        sums[branch] += std::abs(grads.flat.data()[p.offset + i]);
    }
    CHECK(sums[0] > 0);
    CHECK((sums[1] > 0) == (width == 8));
    double input = 0;
    for (double v : dx.download()) input += std::abs(v);
    CHECK(input > 0);
  }
}

TEST_CASE("elastic: permuting coupled channels leaves the logits") {
  Runner<Net> pass;
  const auto x = batch(0);
  auto trace = pass.net.make_trace({.capacity = 4});
  const auto logits = [&] {
    return pass.net.forward(trace, x.view(), {}), to_host(trace.logits());
  };
  const auto before = logits();
  int groups = 0, refused = 0;
  for (const auto& group : pass.net.graph().coupled_channels()) {
    const int c = pass.net.graph().nodes[group[0]].out.c;
    std::vector<int> permutation(c);
    for (int i = 0; i < c; ++i) permutation[i] = (i * 5 + 3) % c;
    if (group.back() == int(pass.net.graph().nodes.size()) - 1) {
      CHECK_THROWS_AS(permute_channels(pass.net, group, permutation), UsageError);
      ++refused;
      continue;
    }
    const std::vector<double> parameters(
        std::as_const(pass.net).parameters(),
        std::as_const(pass.net).parameters() + pass.net.parameter_storage());
    permute_channels(pass.net, group, permutation);
    CHECK(golden::difference(std::span(std::as_const(pass.net).parameters(), parameters.size()),
                             parameters) > 0.01);
    CHECK(golden::difference(logits(), before) < 1e-12);
    ++groups;
  }
  CHECK(groups ==
        // the expanded channels and the bottleneck of each block; the stage's width is tied to the
        // input by the shortcut
        4);
  CHECK(refused == 1);
}

TEST_CASE("elastic: gradients equal central differences") {
  Runner<Net> pass;
  const Subnet s = subnet(pass.net, "A");
  auto x = batch(0);
  Tensor<double> dx;
  pass.run(x, &s, 0, &dx);
  const std::vector<double> gradient(pass.grads.flat.data(),
                                     pass.grads.flat.data() + pass.grads.flat.size());
  auto trace = pass.net.make_trace({.use = Use::train, .capacity = 4});
  const auto loss = [&] {
    pass.net.mutable_parameters();  // the values were changed in place
    pass.net.forward(trace, std::as_const(x).view(), {.mode = Mode::train, .subnet = &s});
    return mean_loss(trace, golden::labels(0, 4, 5));
  };
  CHECK(directional_error({x.data(), x.size()}, {dx.data(), dx.size()}, 0, loss) < 1e-6);
  for (const auto& p : pass.net.graph().parameters) {
    CAPTURE(p.name);
    CHECK(directional_error({pass.net.mutable_parameters() + p.offset, p.count},
                            {gradient.data() + p.offset, p.count}, p.offset + 1, loss) < 1e-6);
  }
}
