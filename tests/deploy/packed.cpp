// Packed networks: made, written, read, evaluated and attacked, with the bits of the networks that
// they were made from; and what packing refuses.
#include <cstring>

#include <doctest/doctest.h>

#include <rnx/attack.hpp>
#include <rnx/cost.hpp>
#include <rnx/deploy.hpp>

#include "support/error_of.hpp"
#include "support/folder.hpp"

namespace {

using namespace rnx;
using support::error_of;
using In = Shape<3, 10, 10>;

/// The orders of models::BinaryResNet20 and of ResNet20, a stride, a bias, and channels that fill
/// no word.
template <class W, class A>
using Bases = Network<Sequential<Conv<32, 3>,
                                 Residual<Sequential<BatchNorm<>, Named<"first", Conv<32, 3, W, A>>,
                                                     BatchNorm<>, act::Relu, Conv<32, 3, W, A>>,
                                          Identity>,
                                 BatchNorm<>, Conv<48, 3, Stride<2>, Bias<true>, W, A>, BatchNorm<>,
                                 act::Relu, Conv<20, 3, W, A>, GlobalAveragePool, Linear<4>>,
                      In>;
using MultiBit = Bases<quant::MultiBit<3>, quant::MultiBitActivation<2>>;

/// Every kind of map whose bases are signs, and a linear layer.
using EveryMap = Network<
    Sequential<
        Conv<32, 3, quant::XnorWeights, quant::BinaryActivation<quant::surrogate::ApproxSign>,
             Pad<0>>,
        BatchNorm<>, Conv<33, 3, quant::BiRealWeights, quant::MultiBitActivation<2>>,
        Conv<16, 3, quant::DoReFaWeights<1>, quant::SignActivation>,
        Conv<32, 3, quant::MultiBit<2, quant::Learned<quant::Per::channel>>, quant::SignActivation>,
        BatchNorm<>, Linear<16, true, quant::Sign, 0, quant::SignActivation>, Linear<4>>,
    Shape<16, 8, 8>>;

constexpr int n = 6;
Tensor<float> images(Dims dims) {
  Tensor<float> x(n, dims);
  const rng::Stream random(3, Purpose::test);
  for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = float(random.uniform(i));
  return x;
}

/// A network whose norms are not those that it starts with; some gammas are negative, some 0.
template <class Net> Net trained(std::uint64_t seed, quant::Bits bits = {}) {
  Net net(seed, 0, bits);
  const rng::Stream random(seed, Purpose::data);
  std::uint64_t at = 0;
  const Graph& graph = std::as_const(net).graph();
  for (const auto* list : {&graph.parameters, &graph.buffers})
    for (const NamedParameter& p : *list) {
      if (p.kind != ParameterKind::norm_weight && p.kind != ParameterKind::norm_bias) continue;
      std::vector<float> values(p.count);
      for (float& v : values) {
        const float u = float(random.uniform(at++));
        v = p.name.ends_with("running_var") ? 0.5f + u : u < 0.1f ? 0.0f : 2 * u - 0.6f;
      }
      net.set(p.name, values);
    }
  return net;
}

/// Logits of inference, and the gradient of a loss in the images.
struct Computed {
  std::vector<float> logits{}, gradient{};
  explicit Computed(const NetworkBase<float>& net) {
    const Tensor<float> x = images(net.input_dims());
    auto infer = net.make_trace({.use = Use::infer, .capacity = n});
    const View<const float> y = net.forward(infer, x.view(), {});
    logits.assign(y.data, y.data + n * net.classes());
    auto trace = net.make_trace({.use = Use::input_gradient, .capacity = n, .eval_only = true});
    net.forward(trace, x.view(), {});
    for (int i = 0; i < n * net.classes(); ++i) trace.logits_gradient().data[i] = float(i % 5) - 2;
    Tensor<float> dx(n, net.input_dims());
    net.backward(trace, dx.view(), nullptr);
    gradient.assign(dx.data(), dx.data() + dx.size());
  }
  bool operator==(const Computed& o) const {
    const auto same = [](const std::vector<float>& a, const std::vector<float>& b) {
      return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
    };
    return same(logits, o.logits) && same(gradient, o.gradient);
  }
};

}  // namespace

TEST_CASE("a packed network has the logits and input gradients of the network, bit for bit") {
  const MultiBit net = trained<MultiBit>(1);
  const auto packed = deploy::pack(net);
  const Computed expected(net);
  CHECK(Computed(packed) == expected);
  CHECK(std::count(expected.gradient.begin(), expected.gradient.end(), 0.0f) <
        long(expected.gradient.size()));
  CHECK(packed.parameter_count() < net.parameter_count() / 4);
  // a bit for each weight and base, as trained; scales, which one layer shared, of each filter
  const auto stored = [](const auto& of) { return cost::table(of).total().storage_bits; };
  CHECK(stored(packed) - stored(net) == 32 * 3 * ((32 - 1) + (32 - 1) + (48 - 1) + (20 - 1)));
  const EveryMap maps = trained<EveryMap>(2);
  CHECK(Computed(deploy::pack(maps)) == Computed(maps));
}

TEST_CASE("signs made where values are made, by thresholds of counts too, are those of floats") {
  const auto compare = []<class W, class A>(W, A) {
    const auto net = trained<Bases<W, A>>(11);
    Bases<quant::Simulated<W>, quant::Simulated<A>> floats(1);
    for (const auto* list : {&net.graph().parameters, &net.graph().buffers})
      for (const NamedParameter& p : *list) floats.set(p.name, net.get(p.name).values);
    CHECK(Computed(net) == Computed(floats));
  };
  compare(quant::MultiBit<1>{}, quant::MultiBitActivation<1>{});
  compare(quant::MultiBit<3>{}, quant::MultiBitActivation<2>{});
}

TEST_CASE(
    "PGD finds the same images against a packed network; train mode has the same statistics") {
  MultiBit net = trained<MultiBit>(5);
  auto packed = deploy::pack(net);
  const Tensor<float> x = images(In::dims);
  const loss::Labels<> labels(std::vector<std::int32_t>{0, 1, 2, 3, 0, 1}, 4);
  const auto attacked = [&](const NetworkBase<float>& victim) {
    attack::Workspace<float> work(victim, n);
    Tensor<float> adversarial(n, In::dims);
    attack::Pgd<>{.eps = px(16), .steps = 5}(victim, work, x.view(), adversarial.view(),
                                             loss::CrossEntropy{.labels = labels.data()});
    return std::vector<float>(adversarial.data(), adversarial.data() + adversarial.size());
  };
  const std::vector<float> found = attacked(net);
  CHECK(found == attacked(packed));
  CHECK(found != std::vector<float>(x.data(), x.data() + x.size()));

  const auto recalibrated = [&](NetworkBase<float>& of) {
    auto trace = of.make_trace({.use = Use::train, .capacity = n});
    of.forward(trace, x.view(), {.mode = Mode::train});
    of.commit_statistics(trace);
    return Computed(of);
  };
  CHECK(recalibrated(net) == recalibrated(packed));
  auto trace = packed.make_trace({.use = Use::train, .capacity = n});
  auto grads = packed.make_grads();
  packed.forward(trace, x.view(), {});
  CHECK(error_of<UsageError>([&] {
          packed.backward(trace, {}, &grads);
        }).find("train the network that was packed") != std::string::npos);
}

TEST_CASE("files of packed networks: a bit for each weight, tested on load; what is refused") {
  const support::Folder folder("deploy");
  const auto file = folder.path / "packed.safetensors";
  const MultiBit net = trained<MultiBit>(7);
  const auto packed = deploy::pack(net);
  deploy::save(file, packed, {{"rnx.model", "bases"}});
  auto loaded = decltype(packed)(99);
  CHECK(deploy::load(file, loaded).at("rnx.model") == "bases");
  CHECK(Computed(loaded) == Computed(net));
  const auto stored = io::SafetensorsFile::read(file);
  CHECK(stored.find("1.first.bits")->shape == std::vector<std::size_t>{3, 32, 36});
  CHECK(stored.find("1.first.weight") == nullptr);

  const auto refused = [&](auto f, const char* sentence) {
    std::string found = "no error";
    try {
      f();
    } catch (const Error& e) {
      found = e.what();
    }
    CHECK_MESSAGE(found.find(sentence) != std::string::npos, found);
  };
  const Computed before(loaded);
  EveryMap other(1);
  auto other_packed = deploy::pack(trained<EveryMap>(2));
  refused([&] { deploy::load(file, other_packed); }, "a packed network of another composition");
  refused([&] { deploy::load(file, other); }, "expected a packed network, found one of numbers");
  refused([&] { deploy::save(file, other); }, "expected a packed network, found one of numbers");
  refused([&] { io::save_model(folder.path / "m", packed); }, "a packed network has its own files");
  refused([&] { io::load_model(file, loaded); }, "a packed network has its own files");
  io::save_model(folder.path / "floats", net);
  refused([&] { deploy::load(folder.path / "floats", loaded); },
          "expected the file of a packed network, as deploy::save writes it, found none");

  std::ifstream in(file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  const auto changed = [&](const std::string& before_it, char to) {
    std::string copy = bytes;
    copy[copy.find(before_it) + before_it.size()] = to;
    folder.write("changed", copy);
    return [&] { deploy::load(folder.path / "changed", loaded); };
  };
  std::string flipped = bytes;
  flipped.back() ^= 1;
  folder.write("flipped", flipped);
  refused([&] { deploy::load(folder.path / "flipped", loaded); }, "the file is damaged");
  refused(changed("\"rnx.packed\":\"", '2'), "expected a packed network of form 1");
  refused(changed("self_test.logits\":\"", '9'), "the self-test failed");
  refused(changed("self_test.gradient\":\"", '9'), "attacks on this network");
  CHECK(Computed(loaded) == before);
}

TEST_CASE("a network that is told its bases is packed as the one that knows them") {
  const auto of = []<class W, class A>(W, A, quant::Bits bits) {
    return trained<
        Network<Sequential<Conv<16, 3, W, A>, BatchNorm<>, GlobalAveragePool>, Shape<16, 6, 6>>>(
        1, bits);
  };
  using quant::MultiBit, quant::MultiBitActivation;
  const auto told = of(MultiBit<at_run_time>{}, MultiBitActivation<at_run_time>{}, {3, 2});
  const auto known = of(MultiBit<3>{}, MultiBitActivation<2>{}, {});
  const auto packed = deploy::pack(told);
  CHECK(Computed(packed) == Computed(known));
  CHECK(packed.graph().bits == quant::Bits{3, 2});

  const support::Folder folder("told");
  const auto file = folder.path / "packed.safetensors", floats = folder.path / "floats.safetensors";
  deploy::save(file, packed);
  auto of_type = deploy::pack(known);
  deploy::load(file, of_type);
  CHECK(Computed(of_type) == Computed(known));
  std::remove_cvref_t<decltype(packed)> other(0, 0, {2, 2});
  CHECK(error_of<FileError>([&] { deploy::load(file, other); }).find("another composition") !=
        std::string::npos);
  io::save_model(floats, told);
  auto other_floats = of(MultiBit<at_run_time>{}, MultiBitActivation<at_run_time>{}, {2, 2});
  CHECK(error_of<FileError>([&] {
          io::load_model(floats, other_floats);
        }).find("told its bits (weights, activations) 2 2, found 3 2") != std::string::npos);
}

TEST_CASE("what packing refuses") {
  // at compile time: no bases, bits out of range, widths without a kernel (tests/compile_fail)
  constexpr auto fault = []<class W>(W) { return layer::fault<Conv<16, 3, W>>({3, 8, 8}); };
  static_assert(fault(quant::MultiBit<0>{}) == Fault::bits);
  static_assert(fault(quant::MultiBitActivation<0>{}) == Fault::bits);
  static_assert(fault(quant::MultiBitActivation<9>{}) == Fault::bits);
  static_assert(fault(quant::DoReFaWeights<17>{}) == Fault::bits);
  static_assert(fault(quant::PactActivation<0>{}) == Fault::bits);
  static_assert(fault(quant::Packed<quant::Sign>{}) == Fault::packed);  // floats as activations
  CHECK(error_of<UsageError>([] { deploy::pack(MultiBit(1)); }).find("was not trained") !=
        std::string::npos);
  MultiBit net = trained<MultiBit>(1);
  const std::string name = "1.first.weight";
  const std::vector<float> weights = net.get(name).values;
  net.set(name, std::vector<float>(weights.size(), 0.25f));
  CHECK(error_of<UsageError>([&] { deploy::pack(net); }).find("degenerate least-squares system") !=
        std::string::npos);
  std::vector<float> broken = weights;
  broken[5] = NAN;
  net.set(name, broken);
  CHECK(error_of<NumericError>([&] { deploy::pack(net); }).find("not finite, at element 5") !=
        std::string::npos);
  EveryMap maps = trained<EveryMap>(2);
  maps.set("4.weight_map.alpha", std::vector<float>(64, NAN));
  CHECK(error_of<NumericError>([&] { deploy::pack(maps); }).find("4.weight_map.alpha") !=
        std::string::npos);
  CHECK(error_of<UsageError>([] {
          deploy::Registry::instance().find("none", In::dims);
        }).find("packed are none") != std::string::npos);
}
