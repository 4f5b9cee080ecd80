// Attacks on victims that are no network: ensembles, two paths of one network, a switch, logits
// alone.
#include "support/batch.hpp"

#include <doctest/doctest.h>

#include <set>

#include <rnx/attack.hpp>

using namespace rnx;

namespace {

constexpr int n = 7;
using Net = Network<support::SmallResNet<>, Shape<3, 8, 8>>;
using Net64 = Network<support::SmallResNet<>, Shape<3, 8, 8>, cpu, precision::Double>;

template <class T> struct Batch {
  Tensor<T> x = support::images<T>(n, {3, 8, 8});
  std::vector<std::int32_t> y = support::labels(n, 10);
  loss::CrossEntropy ce{.labels = y.data()};
};
template <class T> struct Gradient { std::vector<T> dx, values; };
template <class T, class V, class Loss>
Gradient<T> gradient(const V& victim, const Tensor<T>& x, const Loss& loss, int tile = 0) {
  attack::Workspace<T> work(victim, n, tile);
  Tensor<T> dx(n, x.dims());
  Buffer<T> values(n);
  attack::input_gradient(victim, work, x.view(), loss, {}, dx.view(), values.data());
  Buffer<T> alone(n);
  attack::loss_values(victim, work, x.view(), loss, {}, alone.data());
  CHECK(alone.download() == values.download());
  return {dx.download(), values.download()};
}
/// Logits and no more.
struct Alone final : attack::Victim<> {
  const Net& net;
  explicit Alone(const Net& from) : net(from) {}
  struct Own : Memory {
    Own(const Alone& v, int n)
        : Memory(v, n),
          inside(v.net.make_trace({.use = Use::infer, .capacity = n, .eval_only = true})) {}
    Passes passes() const override { return inside.passes(); }
    Trace<> inside;
  };
  Dims input_dims() const override { return net.input_dims(); }
  int classes() const override { return net.classes(); }
  std::unique_ptr<Memory> make_memory(Use, int capacity, int) const override {
    return std::make_unique<Own>(*this, capacity);
  }
  View<const float> logits(Memory& memory, View<const float> x, const Context& ctx,
                           int) const override {
    return net.forward(static_cast<Own&>(memory).inside, x, ctx);
  }
};

}  // namespace

TEST_CASE("an ensemble of one network has its bits; its tiles do not matter") {
  const Batch<float> b;
  const Net net(4), other(5);
  const auto alone = gradient(net, b.x, b.ce);
  for (const auto how : {op::Combine::mean_logits, op::Combine::most_confident}) {
    const attack::Ensemble<> one({{.net = &net}}, how);
    CHECK(gradient(one, b.x, b.ce).dx == alone.dx);
    CHECK(gradient(one, b.x, b.ce).values == alone.values);
  }
  CHECK(gradient(attack::Worst<>({{.net = &net}}), b.x, b.ce).dx == alone.dx);
  CHECK(gradient(attack::Worst<>({{.net = &net}, {.net = &net}}), b.x, b.ce).dx == alone.dx);
  for (const auto how :
       {op::Combine::mean_logits, op::Combine::mean_probabilities, op::Combine::most_confident}) {
    const attack::Ensemble<> two({{.net = &net}, {.net = &other}}, how);
    const auto whole = gradient(two, b.x, b.ce);
    CHECK(gradient(two, b.x, b.ce, 2).dx == whole.dx);
    CHECK(gradient(two, b.x, b.ce, 2).values == whole.values);
    if (how != op::Combine::most_confident) CHECK(whole.dx != alone.dx);
  }
}

TEST_CASE("gradients of ensembles against differences; the values are those of the formulas") {
  const Batch<double> b;
  const Net64 net(3), other(8), third(14);
  const auto logits = [&](const Net64& of) {
    auto trace = of.make_trace({.capacity = n});
    return to_host(of.forward(trace, b.x.view(), {}));
  };
  const std::vector<double> z[3] = {logits(net), logits(other), logits(third)};
  const auto p = [&](int k, int i, int c) {
    double sum = 0;
    for (int j = 0; j < 10; ++j) sum += std::exp(z[k][i * 10 + j]);
    return std::exp(z[k][i * 10 + c]) / sum;
  };
  for (const auto how :
       {op::Combine::mean_logits, op::Combine::mean_probabilities, op::Combine::most_confident}) {
    const attack::Ensemble<double> three({{.net = &net}, {.net = &other}, {.net = &third}}, how);
    const auto found = gradient(three, b.x, b.ce);
    std::set<int> chosen;
    for (int i = 0; i < n; ++i) {
      std::vector<double> y(10, 0);
      int sure = 0;
      double most = 0;
      for (int k = 0; k < 3; ++k)
        for (int c = 0; c < 10; ++c)
          if (p(k, i, c) > most) {
            most = p(k, i, c);
            sure = k;
          }
      for (int c = 0; c < 10; ++c)
        y[c] = how == op::Combine::mean_logits
                   ? (z[0][i * 10 + c] + z[1][i * 10 + c] + z[2][i * 10 + c]) / 3
               : how == op::Combine::mean_probabilities
                   ? std::log((p(0, i, c) + p(1, i, c) + p(2, i, c)) / 3)
                   : z[sure][i * 10 + c];
      chosen.insert(sure);
      double sum = 0;
      for (const double v : y) sum += std::exp(v);
      CHECK(found.values[i] == doctest::Approx(std::log(sum) - y[b.y[i]]).epsilon(1e-12));
    }
    CHECK(chosen.size() > 1);
    // along a direction of each sample
    const auto along = support::images<double>(n, {3, 8, 8}, 7);
    const double h = 1e-6;
    Tensor<double> up = b.x, down = b.x;
    for (std::size_t i = 0; i < up.size(); ++i) {
      up.data()[i] += h * (along.data()[i] - 0.5);
      down.data()[i] -= h * (along.data()[i] - 0.5);
    }
    const auto high = gradient(three, up, b.ce), low = gradient(three, down, b.ce);
    for (int i = 0; i < n; ++i) {
      double slope = 0;
      for (int j = i * 192; j < (i + 1) * 192; ++j) slope += found.dx[j] * (along.data()[j] - 0.5);
      CHECK((high.values[i] - low.values[i]) / (2 * h) == doctest::Approx(slope).epsilon(1e-5));
    }
  }
}

TEST_CASE("the worst of two: each sample follows the member of the larger loss") {
  const Batch<float> b;
  const Net net(4), other(5);
  const auto first = gradient(net, b.x, b.ce), second = gradient(other, b.x, b.ce),
             worst = gradient(attack::Worst<>({{.net = &net}, {.net = &other}}), b.x, b.ce);
  int of_second = 0;
  for (int i = 0; i < n; ++i) {
    const auto& larger = second.values[i] > first.values[i] ? second : first;
    of_second += &larger == &second;
    CHECK(worst.values[i] == larger.values[i]);
    CHECK(std::equal(worst.dx.begin() + i * 192, worst.dx.begin() + (i + 1) * 192,
                     larger.dx.begin() + i * 192));
  }
  CHECK((of_second > 0 && of_second < n));
}

TEST_CASE("two batch-norm paths of one network, attacked together") {
  using Dual = Network<support::SmallResNet<BatchNorm<paths::Dual>>, Shape<3, 8, 8>>;
  const Batch<float> b;
  Dual net(4);
  // two epochs of statistics apart
  auto trace = net.make_trace({.use = Use::train, .capacity = n});
  net.forward(trace, b.x.view(), {.mode = Mode::train, .path = 1});
  net.commit_statistics(trace);
  attack::Workspace<> work(net, n);
  Tensor<> dx(n, b.x.dims());
  const auto on = [&](int path) {
    attack::input_gradient(net, work, b.x.view(), b.ce, {.path = path}, dx.view());
    return dx.download();
  };
  CHECK(on(0) != on(1));
  CHECK(gradient(attack::Ensemble<>({{.net = &net, .path = 1}}), b.x, b.ce).dx == on(1));
  const attack::Ensemble<> both({{.net = &net, .path = 0}, {.net = &net, .path = 1}});
  attack::Workspace<> of_both(both, n, 3);
  Tensor<> moved(n, b.x.dims()), again(n, b.x.dims());
  const attack::Pgd<> pgd{.steps = 3};
  pgd(both, of_both, b.x.view(), moved.view(), b.ce);
  attack::verify<norm::Linf>(b.x.download(), moved.download(), n, px(8));
  CHECK(of_both.passes() == Passes{.forwards = 6 * n, .backwards = 6 * n});
  // chosen samples have the bits of the batch
  const std::vector<std::int32_t> chosen{5, 0, 3};
  const Selection<> some(chosen, n);
  Tensor<> part(3, b.x.dims()), of_part(3, b.x.dims()), of_whole(3, b.x.dims());
  const auto gather = [&](const Tensor<>& from, Tensor<>& to) {
    run<cpu>(
        {}, op::gather_rows<float>{.from = from.view(), .to = to.view(), .rows = some.list().data});
  };
  gather(b.x, part);
  gather(moved, of_whole);
  pgd(both, of_both, part.view(), of_part.view(), b.ce, {.samples = some.list()});
  CHECK(of_part.download() == of_whole.download());
}

TEST_CASE("a victim that gives logits alone has values for attacks that query") {
  const Batch<float> b;
  const Net net(4);
  const Alone alone(net);
  attack::Workspace<> work(alone, n), own(net, n);
  Buffer<float> values(n), of_net(n);
  attack::loss_values(alone, work, b.x.view(), b.ce, {}, values.data());
  attack::loss_values(net, own, b.x.view(), b.ce, {}, of_net.data());
  CHECK(values.download() == of_net.download());
  CHECK(work.passes() == Passes{.forwards = n});
  CHECK(own.passes() == Passes{.forwards = n});
}

TEST_CASE("victims refuse what they cannot do") {
  const Batch<float> b;
  const Net net(4);
  const Network<GlobalAveragePool, Shape<10, 2, 2>> small(0);
  CHECK_THROWS_WITH_AS(attack::Ensemble<>({}), "ensemble: expected 1 to 16 members, found 0",
                       UsageError);
  CHECK_THROWS_AS(attack::Ensemble<>({{.net = nullptr}}), UsageError);
  CHECK_THROWS_WITH_AS((attack::Worst<>({{.net = &net}, {.net = &small}})),
                       "ensemble: its members must take the same images and have the same classes",
                       UsageError);
  const attack::Ensemble<> one({{.net = &net}});
  const attack::Worst<> other({{.net = &net}});
  attack::Workspace<> work(one, n), of_net(net, n);
  Tensor<> dx(n, b.x.dims());
  const auto climb = [&](const attack::WhiteBoxRef<>& victim, attack::Workspace<>& in,
                         const Context& ctx) {
    attack::input_gradient(victim, in, b.x.view(), b.ce, ctx, dx.view());
  };
  CHECK_THROWS_WITH_AS(climb(one, work, {.path = 1}),
                       "attack: a victim that is no network runs in eval mode and chooses paths "
                       "and subnets itself",
                       UsageError);
  CHECK_THROWS_WITH_AS(climb(one, of_net, {}), "workspace: it was made for a network", UsageError);
  CHECK_THROWS_WITH_AS(climb(other, work, {}), "ensemble: the memory was made for another victim",
                       UsageError);
  CHECK_THROWS_AS(climb(net, work, {}), ShapeError);
  CHECK_THROWS_AS(attack::Workspace<>(one, n, 0, {Keep::tap<Penultimate>()}), UsageError);
  CHECK_THROWS_AS(attack::Workspace<>(one, n, 0, {}, Mode::train), UsageError);
}
