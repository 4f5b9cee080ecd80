// A network of convolutions of signs, computed with bits, is the network computed with floats: in
// evaluation, in training steps and under attack. A network that is told its bases or bits at run
// time is the one whose type knows them.
#include <cstring>

#include <doctest/doctest.h>

#include <rnx/attack.hpp>
#include <rnx/models.hpp>

#include "support/error_of.hpp"

namespace {

using namespace rnx;

template <class C>
using Spec =
    Sequential<Conv<32, 3>, BatchNorm<>, act::Relu,
               Residual<Sequential<typename C::template conv<32, 3>, BatchNorm<>, act::Relu,
                                   typename C::template conv<32, 3>, BatchNorm<>>,
                        Identity, act::Relu>,
               typename C::template conv<48, 3, 2, Bias<true>>, BatchNorm<>, act::Relu,
               GlobalAveragePool, Linear<4>>;
using W = quant::MultiBit<3>;
using A = quant::MultiBitActivation<2>;
using Bits = Network<Spec<models::Convolutions<W, A>>, Shape<3, 10, 10>>;
using Floats =
    Network<Spec<models::Convolutions<quant::Simulated<W>, quant::Simulated<A>>>, Shape<3, 10, 10>>;

constexpr int n = 5;
Tensor<float> images() {
  Tensor<float> x(n, {3, 10, 10});
  const rng::Stream random(3, Purpose::test);
  for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = float(random.uniform(i));
  return x;
}
bool same(const float* a, const float* b, std::size_t count) {
  return std::memcmp(a, b, count * sizeof(float)) == 0;
}

/// Logits, gradients of a step and the running statistics behind it.
template <class Net> struct Stepped {
  std::vector<float> logits, gradient, statistics;
  explicit Stepped(Net& net) {
    const Tensor<float> x = images();
    auto trace = net.make_trace({.use = Use::train, .capacity = n});
    auto grads = net.make_grads();
    net.forward(trace, x.view(), {.mode = Mode::train});
    const View<const float> z = trace.logits();
    logits.assign(z.data, z.data + 4 * n);
    for (int i = 0; i < 4 * n; ++i) trace.logits_gradient().data[i] = float(i % 5) - 2;
    net.backward(trace, {}, &grads);
    net.commit_statistics(trace);
    gradient.assign(grads.flat.data(), grads.flat.data() + grads.flat.size());
    std::as_const(net).visit([&](const auto& p) {
      if (p.name.find("running") != std::string::npos)
        statistics.insert(statistics.end(), p.value, p.value + p.count);
    });
  }
};

/// One convolution of every kind of map whose bases are signs.
template <template <class> class As>
using EveryMap = Network<
    Sequential<Conv<32, 3, As<quant::XnorWeights>,
                    As<quant::BinaryActivation<quant::surrogate::ApproxSign>>>,
               BatchNorm<>, Conv<33, 3, As<quant::BiRealWeights>, As<quant::MultiBitActivation<2>>>,
               Conv<16, 1, As<quant::DoReFaWeights<1>>, As<quant::SignActivation>>,
               Conv<32, 3, As<quant::MultiBit<2, quant::Learned<quant::Per::channel>>>,
                    As<quant::SignActivation>>,
               GlobalAveragePool, Linear<4>>,
    Shape<3, 10, 10>>;

}  // namespace

TEST_CASE("maps of signs of every kind take bits, and have the bits of sums of floats") {
  EveryMap<std::type_identity_t> bits(1);
  EveryMap<quant::Simulated> floats(1);
  const Stepped<EveryMap<std::type_identity_t>> b(bits);
  const Stepped<EveryMap<quant::Simulated>> f(floats);
  CHECK(b.logits == f.logits);
  CHECK(b.gradient == f.gradient);
  CHECK(b.gradient != std::vector<float>(b.gradient.size()));
}

TEST_CASE("a network of convolutions of signs has the bits of the network of floats") {
  Bits bits(1);
  Floats floats(1);
  const Stepped<Bits> b(bits);
  const Stepped<Floats> f(floats);
  CHECK(b.logits == f.logits);
  CHECK(b.gradient == f.gradient);
  CHECK(b.statistics == f.statistics);
  CHECK(b.gradient != std::vector<float>(b.gradient.size()));

  const Tensor<float> x = images();
  const std::vector<std::int32_t> of_images{0, 1, 2, 3, 0};
  const loss::Labels<> labels(of_images, 4);
  const attack::Pgd<> pgd{.eps = px(16), .steps = 5};
  Tensor<float> of_bits(n, {3, 10, 10}), of_floats(n, {3, 10, 10});
  attack::Workspace<float> work_b(bits, n), work_f(floats, n);
  const loss::CrossEntropy loss{.labels = labels.data()};
  pgd(bits, work_b, x.view(), of_bits.view(), loss);
  pgd(floats, work_f, x.view(), of_floats.view(), loss);
  CHECK(same(of_bits.data(), of_floats.data(), x.size()));
  CHECK_FALSE(same(of_bits.data(), x.data(), x.size()));
}

namespace {

/// A convolution that is summed in floats, and one that is computed with bits where its maps are
/// signs.
template <class W, class A>
using Small = Network<Sequential<Conv<16, 3, W, A>, BatchNorm<>, act::Relu,
                                 Conv<16, 3, Stride<2>, Bias<true>, W, A>, GlobalAveragePool>,
                      Shape<3, 10, 10>>;

/// Logits, gradients and what is learned of three steps of SGD.
std::vector<float> learned(NetworkBase<float>& net) {
  const Tensor<float> x = images();
  Tensor<float> dx(n, {3, 10, 10});
  auto trace = net.make_trace({.use = Use::train, .capacity = n});
  auto grads = net.make_grads();
  std::vector<float> all;
  const auto add = [&](const float* values, std::size_t count) {
    all.insert(all.end(), values, values + count);
  };
  for (int step = 0; step < 3; ++step) {
    grads.zero();
    const View<const float> z = net.forward(trace, x.view(), {.mode = Mode::train});
    add(z.data, std::size_t(n * net.classes()));
    for (int i = 0; i < n * net.classes(); ++i) trace.logits_gradient().data[i] = float(i % 5) - 2;
    net.backward(trace, dx.view(), &grads);
    net.commit_statistics(trace);
    add(dx.data(), dx.size());
    float* const p = net.mutable_parameters();
    for (std::size_t i = 0; i < grads.flat.size(); ++i) p[i] -= 0.05f * grads.flat.data()[i];
    add(p, grads.flat.size());
  }
  return all;
}

/// A network that is told its bits, and one of the same seed that knows them.
void compare(NetworkBase<float>& told, NetworkBase<float>& known) {
  const Graph &a = std::as_const(told).graph(), &b = std::as_const(known).graph();
  REQUIRE(a.parameters.size() == b.parameters.size());
  for (std::size_t i = 0; i < a.parameters.size(); ++i) {
    CHECK(a.parameters[i].name == b.parameters[i].name);
    CHECK(a.parameters[i].shape == b.parameters[i].shape);
  }
  for (std::size_t i = 0; i < a.nodes.size(); ++i)
    CHECK(a.nodes[i].prepared == b.nodes[i].prepared);
  CHECK(cost::table(a).total().bops == cost::table(b).total().bops);
  CHECK(cost::table(a).total().storage_bits == cost::table(b).total().storage_bits);
  const std::vector<float> found = learned(told), expected = learned(known);
  REQUIRE(found.size() == expected.size());
  CHECK(same(found.data(), expected.data(), found.size()));
}

}  // namespace

TEST_CASE("a network that is told its bases or bits has those of the type that knows them") {
  using quant::MultiBit, quant::MultiBitActivation;
  using Bases = Small<MultiBit<at_run_time>, MultiBitActivation<at_run_time>>;
  const auto bases = []<int M, int N>(std::integral_constant<int, M>,
                                      std::integral_constant<int, N>) {
    CAPTURE(M);
    CAPTURE(N);
    Bases told(7, 0, {.weights = M, .activations = N});
    Small<MultiBit<M>, MultiBitActivation<N>> known(7);
    compare(told, known);
    CHECK(told.graph().bits == quant::Bits{M, N});
  };
  constexpr std::integral_constant<int, 1> one;
  constexpr std::integral_constant<int, 3> three;
  constexpr std::integral_constant<int, 8> eight;
  bases(one, one);
  bases(three, one);
  bases(one, three);
  bases(three, three);
  bases(eight, eight);
  using Pact = Small<quant::DoReFaWeights<at_run_time>, quant::PactActivation<at_run_time>>;
  const auto bits = []<int K>(std::integral_constant<int, K>) {
    Pact told(7, 0, {.weights = K, .activations = K});
    Small<quant::DoReFaWeights<K>, quant::PactActivation<K>> known(7);
    compare(told, known);
  };
  bits(std::integral_constant<int, 2>());
  bits(std::integral_constant<int, 4>());
  Small<MultiBit<at_run_time, quant::Learned<quant::Per::channel>>,
        quant::RoundActivation<at_run_time>>
      told(7, 0, {.weights = 2, .activations = 5});
  Small<MultiBit<2, quant::Learned<quant::Per::channel>>, quant::RoundActivation<5>> known(7);
  compare(told, known);

  const auto refused = [](auto make, const char* sentence) {
    CHECK_MESSAGE(support::error_of<UsageError>(make).find(sentence) != std::string::npos,
                  sentence);
  };
  refused([] { Bases(1); }, "its weights have a number of bases known at run time");
  refused([] { Bases(1, 0, {.weights = 9, .activations = 1}); }, "takes 1 to 8, found 9");
  refused([] { Bases(1, 0, {.weights = 1}); }, "its activations have a number of bases");
  refused([] { Pact(1, 0, {.weights = 1, .activations = 2}); }, "takes 2 to 16, found 1");
  refused([] { Bits(1, 0, {.weights = 3, .activations = 2}); },
          "its type knows the bits of its weights, it was told 3");
}
