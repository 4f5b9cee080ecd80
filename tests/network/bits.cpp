// The same bits for 1, 2 and 3 threads; eval logits the same bits alone and in any batch; for a
// Network, its copy and AnyNetwork.
#include "support/batch.hpp"
#include "support/sanitizers.hpp"

#include <doctest/doctest.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include <rnx/train.hpp>

using namespace rnx;
namespace {
constexpr int side = support::sanitized ? 12 : 32;

void threads(int k) {
#ifdef _OPENMP
  omp_set_num_threads(k);
#else
  (void)k;
#endif
}
/// Three steps (natural and PGD), then parameters, buffers and logits.
template <class Net> std::vector<float> train_and_predict(NetworkBase<float>& net, int n) {
  std::vector<float> out;
  const auto go = [&](auto objective) {
    optim::Sgd<float> sgd({.momentum = 0.9, .weight_decay = 5e-4});
    train::Step<float, cpu> step(net, sgd, objective, n);
    step.set({.seed = 3, .lr = 0.05, .momentum = 0.9});
    for (int k = 0; k < 2; ++k) {
      step.images() = support::images<float>(n, net.input_dims(), k);
      step.labels().upload(support::labels(n, 10, k));
      step(n);
    }
  };
  go(train::Natural{});
  go(train::Adversarial<>{attack::Pgd<>{.step = px(2), .steps = 2}});
  for (const float v : support::parameters(static_cast<const Parametrised<float>&>(net)))
    out.push_back(v);
  std::as_const(net).visit_buffers(
      [&](const auto& b) { out.insert(out.end(), b.value, b.value + b.count); });
  auto trace = net.make_trace({.capacity = n});
  const auto x = support::images<float>(n, net.input_dims(), 9);
  const auto z = to_host(net.forward(trace, x.view(), {}));
  out.insert(out.end(), z.begin(), z.end());
  return out;
}
template <class Net> void check_threads(int n) {
  std::vector<float> reference;
  for (int t : {1, 2, 3}) {
    threads(t);
    Net net(7);
    const auto bits = train_and_predict<Net>(net, n);
    if (t == 1) reference = bits;
    CHECK(bits == reference);
  }
  threads(2);
  AnyNetwork<float> any{Net(7)}, copy = any;
  CHECK(train_and_predict<Net>(*any, n) == reference);
  CHECK(train_and_predict<Net>(*copy, n) ==
        reference);  // the copy did not see the other's training
}
template <class Net> void check_batches() {
  Net net(7);
  const int n = 37;
  const auto x = support::images<float>(n, net.input_dims());
  auto trace = net.make_trace({.capacity = n});
  const auto whole = to_host(net.forward(trace, x.view(), {}));
  for (int size : {1, 2, 16, 17}) {
    auto part = net.make_trace({.capacity = size});
    for (int first = 0; first < n; first += size) {
      const int k = std::min(size, n - first);
      const auto z = to_host(net.forward(part, x.view().samples(first, k), {}));
      CHECK(std::equal(z.begin(), z.end(), whole.begin() + first * 10));
    }
  }
}
}  // namespace

TEST_CASE("equal bits for 1, 2 and 3 threads, for copies and AnyNetwork: ResNet-20") {
  check_threads<Network<models::ResNet20<>, Shape<3, side, side>>>(9);
}
TEST_CASE("equal bits for 1, 2 and 3 threads: depthwise, squeeze-excite, multi-bit") {
  check_threads<Network<models::MobileNetTiny<>, Shape<3, side, side>>>(7);
  using Bits = models::Convolutions<quant::MultiBit<2>, quant::MultiBitActivation<2>>;
  check_threads<Network<
      models::Classifier<Bits, 10, Named<"conv1", Conv<8, 3>>, Named<"bn1", BatchNorm<>>,
                         Named<"layer1", Repeat<2, models::BasicBlock<8, 1, Identity, Bits,
                                                                      BatchNorm<>, act::Relu>>>>,
      Shape<3, 16, 16>>>(5);
}
TEST_CASE("eval logits: the same bits alone and in any batch") {
  check_batches<Network<models::ResNet20<>, Shape<3, side, side>>>();
  check_batches<Network<models::MobileNetTiny<>, Shape<3, side, side>>>();
  check_batches<Network<models::Mlp<10, act::Relu, 33, 17>, Shape<75>>>();
}
TEST_CASE("dropout: the mask belongs to the sample and the draw, not to the batch") {
  Network<Dropout<>, Shape<64>> net;
  const auto x = support::images<float>(6, {64, 1, 1});
  auto trace = net.make_trace({.capacity = 6});
  const auto whole = to_host(net.forward(trace, x.view(), {.mode = Mode::train}));
  const auto part =
      to_host(net.forward(trace, x.view().samples(4, 2), {.mode = Mode::train, .first_sample = 4}));
  CHECK(std::equal(part.begin(), part.end(), whole.begin() + 4 * 64));
  CHECK(to_host(net.forward(trace, x.view(), {.mode = Mode::train, .draw = 1})) != whole);
  CHECK(to_host(net.forward(trace, x.view(), {})) == x.download());
}
