// Inference and attacks in tiles, each thread on its own: the bits of whole batches, for any number
// of threads; errors come through.
#include "support/batch.hpp"
#include "support/error_of.hpp"

#include <doctest/doctest.h>

#include <rnx/net.hpp>
#include <rnx/search.hpp>

using namespace rnx;
namespace {
struct Threads {  // as many as a test asks for, then as many as before
  const int before = host::threads();
  explicit Threads(int n) { host::set_threads(n); }
  ~Threads() { host::set_threads(before); }
};
using Net = Network<support::SmallResNet<>, Shape<3, 16, 16>>;
constexpr int n = 37;
}  // namespace

TEST_CASE("tiles: inference gives the bits of whole batches, whatever the threads and the batch") {
  Net net(3);
  const auto x = support::images<float>(n, net.input_dims());
  auto whole = net.make_trace({.capacity = n, .eval_only = true, .tiled = false});
  const auto expected = to_host(net.forward(whole, x.view(), {}));
  for (const int threads : {1, 2, 3}) {
    const Threads some(threads);
    auto tiled = net.make_trace({.capacity = n, .eval_only = true});
    CHECK(tiled.tiled());
    CHECK(to_host(net.forward(tiled, x.view(), {})) == expected);
    CHECK(to_host(tiled.logits()) == expected);
    if (threads == 1) CHECK(tiled.bytes() < whole.bytes());
    for (const int k : {1, 5}) {  // fewer samples in the same trace
      const auto part = to_host(net.forward(tiled, x.view().samples(2, k), {}));
      CHECK(std::equal(part.begin(), part.end(), expected.begin() + 20));
    }
    net.mutable_parameters()[0] += 1;  // new weights are seen by every thread
    auto again = net.make_trace({.capacity = n, .eval_only = true, .tiled = false});
    CHECK(to_host(net.forward(tiled, x.view(), {})) == to_host(net.forward(again, x.view(), {})));
    net.mutable_parameters()[0] -= 1;
  }
}
TEST_CASE("tiles: what is kept has the bits of whole batches, whatever the threads and the batch") {
  Net net(3);
  const auto x = support::images<float>(n, net.input_dims());
  const std::vector<Keep> keep{Keep::every(Kind::convolution).maps(), Keep::at("layer1.*"),
                               Keep::tap<Penultimate>(), Keep::at("fc")};
  auto whole = net.make_trace({.capacity = n, .keep = keep, .eval_only = true, .tiled = false});
  net.forward(whole, x.view(), {});
  REQUIRE(whole.activations().size() > 8);
  for (const int threads : {1, 2, 3})
    for (const int k : {n, 5, 1}) {  // fewer samples in the same trace
      const Threads some(threads);
      auto tiled = net.make_trace({.capacity = n, .keep = keep, .eval_only = true});
      REQUIRE(tiled.tiled());
      CHECK(tiled.kept_bytes() == whole.kept_bytes());
      net.forward(tiled, x.view(), {});
      net.forward(tiled, x.view().samples(0, k), {});
      REQUIRE(tiled.activations().size() == whole.activations().size());
      for (std::size_t i = 0; i < whole.activations().size(); ++i) {
        const auto &expected = whole.activations()[i], &found = tiled.activations()[i];
        CAPTURE(expected.path);
        CHECK(found.path == expected.path);
        CHECK(found.active);
        CHECK(found.value.n == k);
        CHECK(to_host(found.value) == to_host(expected.value.samples(0, k)));
      }
      CHECK(to_host(tiled.tap<Penultimate>().value) ==
            to_host(whole.tap<Penultimate>().value.samples(0, k)));
    }
  CHECK_THROWS_AS(net.make_trace({.keep = {Keep::at("fc").seeded()}, .eval_only = true}),
                  UsageError);
  auto tiled = net.make_trace({.capacity = n, .keep = keep, .eval_only = true});
  net.forward(tiled, x.view(), {});
  CHECK(support::error_of<StateError>([&] { tiled.records(); }) ==
        "trace: it runs in tiles and has no record of every layer; make it with "
        "TraceOptions::tiled = false");
  CHECK(whole.records().size() == net.graph().nodes.size());
}
TEST_CASE("tiles: layers of a subnet that do not run are not kept, others have its channels") {
  using search::ElasticStage;
  Network<Sequential<Named<"stage", ElasticStage<2, 3, 8, 4, 1>>, GlobalAveragePool,
                     Named<"fc", Linear<10>>>,
          Shape<3, 8, 8>>
      net(1);
  const auto x = support::images<float>(n, net.input_dims());
  const Subnet small = net.make_subnet({{"stage*", "depth", 1}, {"stage*", "width", 6}}),
               full = net.make_subnet({});
  const std::vector<Keep> keep{Keep::every(Kind::convolution)};
  auto whole = net.make_trace({.capacity = n, .keep = keep, .eval_only = true, .tiled = false});
  auto tiled = net.make_trace({.capacity = n, .keep = keep, .eval_only = true});
  int still = 0, narrow = 0;
  for (const Subnet& s : {full, small, full}) {
    net.forward(whole, x.view(), {.subnet = &s});
    net.forward(tiled, x.view(), {.subnet = &s});
    for (std::size_t i = 0; i < whole.activations().size(); ++i) {
      const auto &expected = whole.activations()[i], &found = tiled.activations()[i];
      REQUIRE(found.active == expected.active);
      still += !found.active;
      if (!found.active) continue;
      narrow += found.value.dims.c == 6;
      CHECK(found.value.dims == expected.value.dims);
      CHECK(to_host(found.value) == to_host(expected.value));
    }
  }
  CHECK(still > 0);
  CHECK(narrow > 0);
}
TEST_CASE("tiles: attacks give the same bits for every number of threads and samples in a tile") {
  Net net(3);
  const auto x = support::images<float>(n, net.input_dims());
  const loss::Labels<> labels(support::labels(n, 10), 10);
  const loss::CrossEntropy loss{.labels = labels.data()};
  std::vector<float> expected, expected_values;
  for (const int threads : {1, 2, 3})
    for (const int tile : {0, 1, 4, n}) {
      const Threads some(threads);
      attack::Workspace<float> work(net, n, tile);
      std::vector<float> values(n);
      attack::input_gradient(net, work.trace, x.view(), loss, {}, work.gradient.view(),
                             values.data());
      const auto found = to_host(work.gradient.view());
      if (expected.empty()) {
        expected = found;
        expected_values = values;
      }
      CHECK(found == expected);
      CHECK(values == expected_values);
    }
}
TEST_CASE("tiles: what a thread throws arrives") {
  const Threads some(2);
  Net net(3);
  const auto x = support::images<float>(n, net.input_dims());
  auto trace = net.make_trace({.capacity = n, .eval_only = true});
  CHECK_THROWS_AS(net.forward(trace, x.view(), {.path = 1}), UsageError);
  CHECK_THROWS_AS(net.forward(trace, x.view(), {.mode = Mode::train}), StateError);
  attack::Workspace<float> work(net, n, 4);
  const loss::CrossEntropy loss{};  // without labels
  CHECK_THROWS_AS(attack::input_gradient(net, work.trace, x.view(), loss, {}, work.gradient.view()),
                  UsageError);
}
