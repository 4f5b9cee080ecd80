// An attack of a user's own, with memory in the workspace, by itself, in an evaluation and in
// training: that of examples/own.
#define main example_main
#include "../../examples/own/attack.cpp"
#undef main

#include "support/batch.hpp"

#include <doctest/doctest.h>

TEST_CASE("an attack keeps its own memory in the workspace") {
  const Network<support::SmallResNet<>, Shape<3, 8, 8>> net(4);
  constexpr int n = 6;
  data::Images set{.n = n, .dims = {3, 8, 8}, .classes = 10, .labels = support::labels(n, 10)};
  for (int i = 0; i < n * 192; ++i)
    set.pixels.push_back(std::uint8_t(rng::Stream(5, Purpose::test).bits(i)));
  const Tensor<> x = data::batch_tensor(set, 0, n);
  attack::Workspace<> work(net, n, 2);
  const auto moved = [&](const auto& attack) {
    Tensor<> a(n, x.dims());
    attack(net, work, x.view(), a.view(), loss::CrossEntropy{.labels = set.labels.data()});
    return a.download();
  };
  const NiFgsm ni{.eps = px(16)};
  const attack::Pgd<> pgd{.eps = px(16), .step = ni.eps / 10, .start = attack::Start::clean};
  const auto plain = moved(pgd);
  const std::size_t before = work.bytes();
  const auto first = moved(ni);
  CHECK(work.bytes() == before + 2 * n * 192 * sizeof(float));
  CHECK(moved(ni) == first);  // each call starts anew
  CHECK(moved(NiFgsm{.eps = px(16), .decay = 0}) == plain);
  CHECK(first != plain);
  CHECK_THROWS_WITH_AS(
      work.state("momentum", Dims{1, 1, 1}),
      "workspace: the state 'momentum' has (3, 8, 8) for each sample, found (1, 1, 1)", ShapeError);

  auto trained = net;
  optim::Sgd sgd;
  train::fit(trained, set, train::Adversarial{ni}, sgd,
             {.batch = 3, .schedule = optim::Constant{0.1}});
  CHECK(eval::accuracy(trained, set, ni, {.batch = 4}).samples.size() == n);
}
