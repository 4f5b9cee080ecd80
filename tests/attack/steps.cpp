// The size of an attack's steps where nobody says it.
#include "support/batch.hpp"

#include <doctest/doctest.h>

#include <rnx/attack.hpp>

using namespace rnx;

TEST_CASE("a step that is not said follows eps") {
  CHECK(attack::Pgd<>{}.step_size().value() == px(2).value());
  CHECK(attack::Pgd<>{.eps = px(16), .steps = 20}.step_size().value() == px(2).value());
  CHECK(attack::Pgd<norm::L2>{.eps = 0.5, .steps = 5}.step_size().value() == 0.25);
  CHECK(attack::Pgd<>{.eps = px(4), .step = px(3), .steps = 50}.step_size().value() ==
        px(3).value());
  CHECK(attack::Pgd<>{.eps = 0, .steps = 0}.step_size().value() == 0);
  const auto of = [](const auto& attack) {
    StepValues v;
    attack.set(v);
    return v.step;
  };
  CHECK(of(attack::Fgsm<>{.start = attack::Start::random}) == px(10).value());
  CHECK(of(attack::Fgsm<>{.eps = px(4), .start = attack::Start::random}) == px(5).value());
  CHECK(of(attack::Fgsm<>{.eps = px(4)}) == px(4).value());
  CHECK(attack::Pgd<>{.eps = px(16)}.describe() ==
        attack::Pgd<>{.eps = px(16), .step = px(4)}.describe());

  // an attack with its radius alone: the bits of one with the step written out
  const Network<support::SmallResNet<>, Shape<3, 8, 8>> net(4);
  const auto x = support::images<float>(4, {3, 8, 8});
  const auto y = support::labels(4, 10);
  attack::Workspace<float> work(net, 4);
  const auto moved = [&](const attack::Pgd<>& pgd) {
    Tensor<float> a(4, {3, 8, 8});
    pgd(net, work, x.view(), a.view(), loss::CrossEntropy{.labels = y.data()});
    return a.download();
  };
  CHECK(moved({.eps = px(16)}) == moved({.eps = px(16), .step = px(4)}));
  CHECK(moved({.eps = px(16)}) != moved({.eps = px(16), .step = px(2)}));
}
