// Evaluations of several radii, paths and subnets, of victims that are no network, and what they
// count.
#include "support/batch.hpp"

#include <doctest/doctest.h>

#include <rnx/attack.hpp>
#include <rnx/data/batch_tensor.hpp>
#include <rnx/data/selection.hpp>
#include <rnx/eval.hpp>

using namespace rnx;

namespace {

using Net = Network<support::SmallResNet<>, Shape<3, 8, 8>>;
using Dual = Network<support::SmallResNet<BatchNorm<paths::Dual>>, Shape<3, 8, 8>>;
constexpr int n = 12;

data::Images images(const NetworkBase<float>& right_for, const Context& ctx = {}) {
  data::Images set{.n = n, .dims = {3, 8, 8}, .classes = 10};
  const rng::Stream random(5, Purpose::test);
  for (int i = 0; i < n * 192; ++i) set.pixels.push_back(std::uint8_t(random.bits(i)));
  set.labels.assign(n, 0);
  const eval::Accuracy found =
      eval::accuracy(right_for, set, {.path = ctx.path, .subnet = ctx.subnet});
  for (int i = 0; i < n; ++i) set.labels[i] = found.samples[i].clean;
  return set;
}
/// A network whose second batch-norm path has statistics of its own.
Dual dual(std::uint64_t seed) {
  Dual net(seed);
  auto trace = net.make_trace({.use = Use::train, .capacity = n});
  const auto x = support::images<float>(n, {3, 8, 8});
  for (int k = 0; k < 20; ++k) {
    net.forward(trace, x.view(), {.mode = Mode::train, .path = 1});
    net.commit_statistics(trace);
  }
  return net;
}
bool same(const eval::Accuracy& a, const eval::Accuracy& b) {
  bool equal = a.samples.size() == b.samples.size() && a.logits == b.logits &&
               a.predicting == b.predicting && a.attacking == b.attacking &&
               a.verifying == b.verifying && a.examples.size() == b.examples.size();
  for (std::size_t i = 0; equal && i < a.samples.size(); ++i)
    equal = a.samples[i].clean == b.samples[i].clean && a.samples[i].label == b.samples[i].label &&
            a.samples[i].attacked == b.samples[i].attacked &&
            a.samples[i].robust == b.samples[i].robust;
  for (std::size_t i = 0; equal && i < a.examples.size(); ++i)
    equal = a.examples[i].clean == b.examples[i].clean &&
            a.examples[i].adversarial == b.examples[i].adversarial;
  return equal;
}

}  // namespace

TEST_CASE("each radius of a curve has the bits of a call of its own") {
  const Net net(3);
  const data::Images set = images(net);
  const attack::Pgd<> pgd{.steps = 4};
  const eval::Options options{
      .batch = 5, .restarts = 2, .seed = 3, .examples = 7, .keep_logits = true};
  const std::vector<Rational> radii{0, px(1), px(4), px(16), px(32)};
  const auto curve = eval::curve(net, set, pgd, radii, options);
  REQUIRE(curve.size() == radii.size());
  for (std::size_t k = 0; k < radii.size(); ++k) {
    attack::Pgd<> one = pgd;
    one.eps = radii[k];
    CHECK(same(curve[k], eval::accuracy(net, set, one, options)));
  }
  CHECK(curve[0].robust() == 1);
  CHECK(curve[4].robust() < 0.5);
  const auto down = [](const std::int32_t* y) {
    return loss::sum(loss::term(-1, loss::CrossEntropy{.labels = y}));
  };
  CHECK(eval::curve(net, set, pgd, {px(32)}, down, options)[0].robust() == 1);
  CHECK_THROWS_AS(eval::curve(net, set, pgd, {}, options), UsageError);

  std::vector<eval::Accuracy> falling{curve[4], curve[1], curve[2]};
  falling = eval::after_each(falling);
  for (int i = 0; i < n; ++i)
    CHECK(falling[2].samples[i].robust ==
          (curve[4].samples[i].robust && curve[1].samples[i].robust && curve[2].samples[i].robust));
  eval::Accuracy other = curve[0];
  other.samples[2].label ^= 1;
  CHECK_THROWS_AS(eval::after_each({curve[0], other}), ShapeError);
}

TEST_CASE("forwards and backwards are counted where they happen: for PGD as the formula says") {
  const Net net(3);
  const data::Images set = images(net);
  constexpr int steps = 4, restarts = 3;
  const attack::Pgd<> pgd{.steps = steps};
  for (const int tile : {0, 2}) {
    const auto a = eval::accuracy(net, set, pgd, {.batch = 5, .tile = tile, .restarts = restarts});
    CHECK(a.predicting == Passes{.forwards = n});
    CHECK(a.attacking ==
          Passes{.forwards = n * steps * restarts, .backwards = n * steps * restarts});
    CHECK(a.verifying == Passes{.forwards = n * restarts});
    CHECK(a.forwards() == pgd.passes() * restarts + restarts);
    CHECK(a.backwards() == pgd.passes() * restarts);
  }
  const auto clean = eval::accuracy(net, set);
  CHECK(clean.predicting == Passes{.forwards = n});
  CHECK(clean.forwards() == 0);
}

TEST_CASE("the attack sees one batch-norm path, the prediction another") {
  const Dual net = dual(4);
  const data::Images set = images(net, {.path = 1});
  const attack::Pgd<> pgd{.eps = px(16), .steps = 6};
  const auto on = [&](const eval::Options& o) { return eval::accuracy(net, set, pgd, o); };
  const auto white = on({.path = 1}), transfer = on({.path = 1, .attack_path = 0});
  CHECK(white.clean() == 1);
  CHECK(transfer.clean() == 1);
  CHECK(white.robust() < transfer.robust());
  CHECK(same(white, on({.path = 1, .attack_path = 1})));
  // by hand: attacked on path 0, predicted on path 1
  attack::Workspace<> work(net, n);
  const Tensor<> x = data::batch_tensor(set, 0, n);
  Tensor<> moved(n, x.dims());
  pgd(net, work, x.view(), moved.view(), loss::CrossEntropy{.labels = set.labels.data()});
  auto trace = net.make_trace({.capacity = n});
  const auto z = to_host(net.forward(trace, moved.view(), {.path = 1}));
  for (int i = 0; i < n; ++i) CHECK(transfer.samples[i].attacked == argmax(z.data() + 10 * i, 10));
}

TEST_CASE("an evaluation of a subnet, attacked at another one") {
  using Elastic = Network<Sequential<Named<"conv", Conv<8, 3, width::Chosen>>, BatchNorm<>,
                                     act::Relu, GlobalAveragePool, Linear<10>>,
                          Shape<3, 8, 8>>;
  const Elastic net(4);
  const Subnet narrow = net.make_subnet({{"conv", "width", 3}});
  const data::Images set = images(net, {.subnet = &narrow});
  const attack::Pgd<> pgd{.eps = px(16), .steps = 6};
  const auto on = [&](const eval::Options& o) { return eval::accuracy(net, set, pgd, o); };
  const auto white = on({.subnet = &narrow, .examples = n}),
             transfer = on({.subnet = &narrow, .attack_subnet = nullptr, .examples = n});
  CHECK(white.clean() == 1);
  CHECK(transfer.clean() == 1);
  CHECK(white.examples[0].adversarial != transfer.examples[0].adversarial);
  CHECK(same(white, on({.subnet = &narrow, .attack_subnet = &narrow, .examples = n})));
}

TEST_CASE("victims that are no network: of the worst of two paths both must be right") {
  const Dual net = dual(6);
  const data::Images set = images(net, {.path = 1});
  const attack::Pgd<> pgd{.eps = px(8), .steps = 5};
  const attack::Ensemble<> one({{.net = &net, .path = 1}});
  const eval::Options batches{.batch = 5};
  eval::Options path_one = batches;
  path_one.path = 1;
  CHECK(same(eval::accuracy(one, set, pgd, batches), eval::accuracy(net, set, pgd, path_one)));
  CHECK_THROWS_AS(eval::accuracy(one, set, pgd, path_one), UsageError);

  const attack::Worst<> worst({{.net = &net, .path = 0}, {.net = &net, .path = 1}});
  const auto both = eval::accuracy(worst, set, pgd, batches),
             first = eval::accuracy(net, set, batches), second = eval::accuracy(net, set, path_one);
  for (int i = 0; i < n; ++i)
    CHECK((both.samples[i].clean == set.labels[i]) ==
          (first.samples[i].clean == set.labels[i] && second.samples[i].clean == set.labels[i]));
  CHECK(both.clean() < 1);
  CHECK(both.clean() > 0);
  // by hand
  attack::Workspace<> work(worst, n);
  const Tensor<> x = data::batch_tensor(set, 0, n);
  Tensor<> moved(n, x.dims());
  pgd(worst, work, x.view(), moved.view(), loss::CrossEntropy{.labels = set.labels.data()});
  attack::Predictor<> predict(worst, n);
  std::vector<bool> right(n, true);
  for (int k = 0; k < 2; ++k) {
    const auto z = to_host(predict(moved.view(), {}, k));
    for (int i = 0; i < n; ++i)
      right[i] = right[i] && argmax(z.data() + 10 * i, 10) == set.labels[i];
  }
  for (int i = 0; i < n; ++i)
    CHECK(both.samples[i].robust == (right[i] && both.samples[i].clean == set.labels[i]));
  CHECK(both.robust() < both.clean());
  CHECK(both.predicting == Passes{.forwards = 2 * n});
  CHECK(both.backwards() == 2 * pgd.steps);
}

TEST_CASE(
    "parts and batches do not change a bit: samples have the ids that they have in the whole") {
  const Net net(3);
  const data::Images set = images(net);
  const data::Memory whole(set);
  const auto same_parts = [&](const auto& attack) {
    const eval::Options options{.batch = 5,
                                .restarts = 2,
                                .seed = 3,
                                .examples = n,
                                .keep_logits = true,
                                .keep_adversarials = true};
    const eval::Accuracy all = eval::accuracy(net, set, attack, options);
    CHECK(all.adversarials.size() == n * 192);
    for (const int size : {1, 7, n}) {
      eval::Accuracy parts;
      for (int first = 0; first < n; first += size) {
        const int count = std::min(size, n - first);
        eval::Options part = options;
        part.batch = 3;
        part.first_sample = std::uint64_t(first);
        parts.append(eval::accuracy(net, data::Part(whole, std::size_t(first), std::size_t(count)),
                                    attack, part));
      }
      CHECK(same(all, parts));
      CHECK(all.origins == parts.origins);
      CHECK(all.adversarials == parts.adversarials);
      CHECK(all.audit == parts.audit);
    }
  };
  same_parts(attack::Pgd<>{.eps = px(4), .steps = 2});
  same_parts(attack::Square<>{.eps = px(8), .queries = 6});
  same_parts(attack::AutoPgd<norm::L2>{.eps = 0.3, .steps = 3});
}

TEST_CASE("images on the lattice are what is predicted and counted") {
  const Net net(3);
  const data::Images set = images(net);
  const attack::Pgd<norm::L2> pgd{.eps = 0.4, .steps = 3};
  const auto on = [&](eval::Lattice lattice) {
    return eval::accuracy(
        net, set, pgd, {.batch = 5, .examples = n, .keep_adversarials = true, .lattice = lattice});
  };
  const eval::Accuracy off = on(eval::Lattice::off), projected = on(eval::Lattice::project);
  CHECK(off.audit.on_lattice < n);
  CHECK(off.audit.images == n);
  CHECK(projected.audit.on_lattice == n);
  CHECK(projected.audit.l2 <= 0.4 * (1 + 1e-5));
  CHECK(off.adversarials != projected.adversarials);
  Tensor<> x(n, {3, 8, 8});
  x.upload(projected.adversarials);
  auto trace = net.make_trace({.capacity = n});
  const auto z = to_host(net.forward(trace, std::as_const(x).view(), {}));
  for (int i = 0; i < n; ++i) CHECK(projected.samples[i].attacked == argmax(z.data() + 10 * i, 10));
}

TEST_CASE("of a sequence, each sample knows the member that it fell to") {
  const Net net(3);
  data::Images set = images(net);
  set.labels[4] = (set.labels[4] + 1) % 10;  // wrong on the clean image: it falls to none
  const attack::AutoAttack<> aa{.eps = px(64), .version = attack::AutoAttackVersion::rand};
  const auto apgd = eval::accuracy(net, set, attack::AutoPgd<>{.eps = px(64), .eot = 20},
                                   eval::Options{.batch = 5});
  const auto a = eval::accuracy(net, set, aa, {.batch = 5});
  CHECK(a.members == std::vector<std::string>{"apgd-ce", "apgd-dlr"});
  const auto after = eval::after_members(a);
  REQUIRE(after.size() == 2);
  CHECK(after[0].right == eval::robust_proportion(apgd).right);
  CHECK(after[1].right == eval::robust_proportion(a).right);
  CHECK(after[1].right < n - 1);
  for (const eval::Sample& s : a.samples)
    CHECK((s.member > 0) == (s.clean == s.label && !s.robust));
  CHECK(apgd.members.empty());
  // in parts
  const data::Memory all(set);
  eval::Accuracy parts = eval::accuracy(net, data::Part(all, 0, 1), aa);
  parts.append(eval::accuracy(net, data::Part(all, 1, 2), aa, {.first_sample = 1}));
  CHECK(parts.members == a.members);
  for (int i = 0; i < 3; ++i) CHECK(parts.samples[i].member == a.samples[i].member);
}
