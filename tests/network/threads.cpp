// const means safe to share: what several threads get from one network, each with a trace of its
// own, has the bits of one thread. ThreadSanitizer looks on, see the preset tsan.
#include "support/batch.hpp"

#include <doctest/doctest.h>

#include <latch>
#include <thread>

#include <rnx/distill/attention.hpp>
#include <rnx/net.hpp>

using namespace rnx;

namespace {

constexpr int count = 4;

/// f(k) in threads k = 0 .. count - 1, which begin at once.
template <class F> void at_once(const F& f) {
  std::latch ready(count);
  std::vector<std::thread> threads;
  for (int k = 0; k < count; ++k)
    threads.emplace_back([&, k] {
      ready.arrive_and_wait();
      f(k);
    });
  for (std::thread& thread : threads) thread.join();
}

using Small = Network<support::SmallResNet<>, Shape<3, 8, 8>>;
/// Its weights take a while to pack, its forward does not.
using Wide = Network<Sequential<Conv<128, 3, Stride<4>>, act::Relu, Conv<128, 3>, act::Relu,
                                Conv<128, 3>, GlobalAveragePool, Linear<10>>,
                     Shape<3, 8, 8>>;
using Elastic = Network<Sequential<Named<"conv", Conv<32, 3, width::Chosen>>, act::Relu, Conv<8, 3>,
                                   GlobalAveragePool, Linear<10>>,
                        Shape<3, 8, 8>>;

template <class Net>
std::vector<float> logits(const Net& net, View<const float, cpu> x, const Context& ctx = {}) {
  auto trace = net.make_trace({.capacity = x.n});
  return to_host(net.forward(trace, x, ctx));
}

}  // namespace

TEST_CASE(
    "threads: first forwards at once pack the weights once and give the logits of one thread") {
  const auto x = support::images<float>(2, {3, 8, 8});
  const std::vector<float> expected = logits(Wide(1), x.view());
  for (int round = 0; round < 30; ++round) {
    const Wide net(1);
    std::vector<float> found[count];
    at_once([&](int k) { found[k] = logits(net, x.view()); });
    for (const auto& z : found) CHECK(z == expected);
    CHECK(net.preparations() == 1);
  }
}

TEST_CASE("threads: more subnets than the cache has places, each thread in another order") {
  const Elastic net(2);
  const auto x = support::images<float>(1, {3, 8, 8});
  std::vector<Subnet> subnets;
  std::vector<std::vector<float>> expected;
  for (int width = 2; width <= 32; width += 5) {
    subnets.push_back(net.make_subnet({{"conv", "width", width}}));
    expected.push_back(logits(Elastic(2), x.view(), {.subnet = &subnets.back()}));
  }
  std::atomic<int> wrong = 0;
  at_once([&](int k) {
    for (std::size_t i = 0; i < 10 * subnets.size(); ++i) {
      const std::size_t s = (i * (k + 1) + k) % subnets.size();
      wrong += logits(net, x.view(), {.subnet = &subnets[s]}) != expected[s];
    }
  });
  CHECK(wrong == 0);
}

TEST_CASE("threads: input and weight gradients, in workspaces and traces of their own") {
  const Small net(3);
  const int n = 6;
  const auto x = support::images<float>(n, {3, 8, 8});
  const loss::Labels<> labels(support::labels(n, 10), 10);
  const loss::CrossEntropy loss{.labels = labels.data()};
  const auto attacked = [&](const Small& from) {
    attack::Workspace<float> work(from, n, 2);
    attack::input_gradient(from, work.trace, x.view(), loss, {}, work.gradient.view());
    return to_host(work.gradient.view());
  };
  const auto trained = [&](const Small& from) {
    auto trace = from.make_trace({.use = Use::train, .capacity = n});
    auto grads = from.make_grads();
    grads.zero();
    from.forward(trace, x.view(), {.mode = Mode::train});
    loss(trace, loss::Call<float>{.weight = 1.0 / n});
    from.backward(trace, {}, &grads);
    return grads.flat.download();
  };
  const std::vector<float> input = attacked(Small(3)), weights = trained(Small(3));
  std::vector<float> found_input[count], found_weights[count];
  at_once([&](int k) {
    found_input[k] = attacked(net);
    found_weights[k] = trained(net);
  });
  for (int k = 0; k < count; ++k) CHECK((found_input[k] == input && found_weights[k] == weights));
}

TEST_CASE("threads: tiles, where kernels of several threads run on several threads each") {
  const Small net(4);
  const int n = 40, before = host::threads();
  const auto x = support::images<float>(n, {3, 8, 8});
  const auto tiled = [&] {
    auto trace = net.make_trace({.capacity = n, .eval_only = true});
    CHECK(trace.tiled());
    return to_host(net.forward(trace, x.view(), {}));
  };
  host::set_threads(1);
  const std::vector<float> expected = tiled();
  host::set_threads(2);
  std::vector<float> found[count];
  at_once([&](int k) { found[k] = tiled(); });
  for (const auto& z : found) CHECK(z == expected);
  host::set_threads(before);
}

TEST_CASE("threads: one attention loss for the traces of several") {
  const Small student(5), teacher(6);
  const int n = 3;
  const auto x = support::images<float>(n, {3, 8, 8});
  const std::vector<distill::AttentionPair> pairs{{"layer1.0.conv1", "layer1.0.conv1"}};
  using Attention = distill::AttentionTransfer<float>;
  auto theirs = teacher.make_trace({.capacity = n, .keep = Attention::teacher_keep(pairs)});
  teacher.forward(theirs, x.view(), {});
  const auto values = [&](const Attention& loss) {
    auto trace = student.make_trace(
        {.use = Use::input_gradient, .capacity = n, .keep = Attention::student_keep(pairs)});
    student.forward(trace, x.view(), {});
    loss::Values<float> all(n);
    loss(trace, all.call(n));
    return all.host(n);
  };
  const Attention loss(theirs, pairs);
  const std::vector<float> expected = values(Attention(theirs, pairs));
  std::vector<float> found[count];
  at_once([&](int k) { found[k] = values(loss); });
  for (const auto& v : found) CHECK(v == expected);
}

TEST_CASE(
    "packed weights: a trace outlives its network, moves take them along, and what pack throws is "
    "not kept") {
  const auto x = support::images<float>(1, {3, 8, 8});
  auto net = std::make_unique<Small>(7);
  const std::vector<float> expected = logits(*net, x.view());
  auto trace = net->make_trace({.use = Use::train, .capacity = 1});
  net->forward(trace, x.view(), {});
  Small moved(std::move(*net));
  net.reset();
  CHECK(logits(moved, x.view()) == expected);
  CHECK(moved.preparations() == 1);
  const Small copy(moved);
  CHECK(logits(copy, x.view()) == expected);
  CHECK(copy.preparations() == 1);
  moved.backward(trace, {}, nullptr);

  PreparedCache<float, cpu> cache;
  const auto lease = [&](float value, bool fails = false) {
    return cache.lease(0, 1, nullptr, 1, [&](float* packed) {
      *packed = value;
      require<DeviceError>(!fails, "no memory");
    });
  };
  CHECK_THROWS_AS(lease(1, true), DeviceError);
  const auto first = lease(2);
  CHECK(*first.data() == 2);
  CHECK(*lease(3).data() == 2);
  CHECK(cache.packings() == 1);
}
