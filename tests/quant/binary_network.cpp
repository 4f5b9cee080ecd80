// A network of convolutions of signs, computed with bits, is the network computed with floats: in
// evaluation, in training steps and under attack.
#include <cstring>

#include <doctest/doctest.h>

#include <rnx/attack.hpp>
#include <rnx/models.hpp>

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
