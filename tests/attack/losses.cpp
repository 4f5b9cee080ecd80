// Attacks that climb another loss than cross-entropy, in an evaluation.
#include "support/batch.hpp"

#include <doctest/doctest.h>

#include <rnx/attack.hpp>
#include <rnx/eval.hpp>

using namespace rnx;

namespace {

using Net = Network<support::SmallResNet<>, Shape<3, 8, 8>>;
constexpr int n = 12;

data::Images images() {
  data::Images set{.n = n, .dims = {3, 8, 8}, .classes = 10};
  const rng::Stream random(5, Purpose::test);
  for (int i = 0; i < n * 192; ++i) set.pixels.push_back(std::uint8_t(random.bits(i)));
  return set;
}

std::vector<int> attacked(const eval::Accuracy& a) {
  std::vector<int> classes;
  for (const eval::Sample& s : a.samples) classes.push_back(s.attacked);
  return classes;
}

}  // namespace

TEST_CASE("an evaluation's attack climbs the loss that it is given") {
  const Net net(3);
  data::Images set = images();
  set.labels.assign(n, 0);
  const eval::Accuracy found = eval::accuracy(net, set);
  for (int i = 0; i < n; ++i) set.labels[i] = found.samples[i].clean;  // right on every image
  const attack::Pgd<> pgd{.eps = px(32), .step = px(4), .steps = 8, .start = attack::Start::clean};
  const eval::Options options{.batch = 5};

  const eval::Accuracy up = eval::accuracy(net, set, pgd, options),
                       same = eval::accuracy(net, set, pgd, eval::ByCrossEntropy{}, options);
  CHECK(up.clean() == 1);
  CHECK(up.robust() < 0.5);
  CHECK(attacked(up) == attacked(same));

  const auto down = [](const std::int32_t* labels) {
    return loss::sum(loss::term(-1, loss::CrossEntropy{.labels = labels}));
  };
  CHECK(eval::accuracy(net, set, pgd, down, options).robust() == 1);

  // a loss on features: the attack keeps what it reads
  Tensor<float> target(n, {16, 1, 1});
  const auto away = [&](const std::int32_t*) {
    return loss::L2{std::as_const(target).view(), loss::tapped<Penultimate>()};
  };
  const eval::Accuracy far = eval::accuracy(
      net, set, pgd, away, {.batch = n, .keep = {Keep::tap<Penultimate>().seeded()}});
  CHECK(attacked(far) != attacked(up));
  CHECK_THROWS_AS(eval::accuracy(net, set, pgd, away, {.batch = n}), NameError);
}
