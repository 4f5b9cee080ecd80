// An attack on chosen samples gives each of them the bits that it has in the whole batch.
#include "support/batch.hpp"

#include <doctest/doctest.h>

#include <rnx/attack.hpp>

using namespace rnx;

namespace {

constexpr int n = 13;
const std::vector<std::int32_t> chosen{11, 2, 7, 0, 12, 5};

/// Without batch norm: in train mode its samples are independent, but for what dropout draws.
using Dropping = Network<Sequential<Named<"conv", Conv<8, 3>>, act::Relu, Dropout<>,
                                    GlobalAveragePool, Dropout<Ratio<1, 4>>, Linear<10>>,
                         Shape<3, 8, 8>>;
using Net = Network<support::SmallResNet<>, Shape<3, 8, 8>>;

template <class N> struct Case {
  N net{4};
  Mode mode = Mode::eval;
  std::vector<Keep> keep{};
  Tensor<> x = support::images<float>(n, {3, 8, 8});
  std::vector<std::int32_t> y = support::labels(n, 10);
  Selection<> some{chosen, n};

  /// The chosen rows of a batch, one after the other.
  static Tensor<> rows(const Tensor<>& from) {
    const Selection<> some(chosen, n);
    Tensor<> to(some.size(), from.dims());
    run<cpu>(
        {}, op::gather_rows<float>{.from = from.view(), .to = to.view(), .rows = some.list().data});
    return to;
  }
  template <class Attack, class Loss>
  void check(const Attack& attack, const Loss& loss, int tile = 0) const {
    attack::Workspace<> work(net, n, tile, keep, mode);
    const Context ctx{.mode = mode, .first_sample = 100};
    Tensor<> whole(n, x.dims()), part(some.size(), x.dims());
    attack(net, work, x.view(), whole.view(), loss, ctx, 3);
    Context of_part = ctx;
    of_part.samples = some.list();
    const Tensor<> clean = rows(x);
    attack(net, work, clean.view(), part.view(), loss, of_part, 3);
    CHECK(part.download() == rows(whole).download());
    CHECK(part.download() != clean.download());
  }
};

}  // namespace

TEST_CASE("PGD on a shuffled subset has the bits of the whole batch, random starts included") {
  const Case<Net> c;
  const loss::CrossEntropy ce{.labels = c.y.data()};
  for (const int tile : {1, 4, 0}) c.check(attack::Pgd<>{.steps = 3, .seed = 9}, ce, tile);
  c.check(attack::Pgd<norm::L2>{.eps = 0.5, .steps = 3}, ce);
  c.check(attack::Fgsm<>{.start = attack::Start::gaussian}, ce);
  c.check(attack::Pgd<>{.steps = 0}, ce);  // the starts alone
  Net other(8);
  auto trace = other.make_trace({.capacity = n});
  const loss::Kl kl{other.forward(trace, c.x.view(), {})};
  c.check(attack::Pgd<>{.steps = 2}, kl, 4);
  c.check(attack::Pgd<>{.steps = 2}, loss::sum(loss::term(0.5, ce), loss::term(2, kl)));
}

TEST_CASE("an attack on chosen samples climbs the distances of their own features") {
  Case<Net> c{.keep = {Keep::at("relu").seeded(), Keep::tap<Penultimate>().seeded()}};
  Net teacher(9);
  auto trace =
      teacher.make_trace({.capacity = n, .keep = {Keep::at("relu"), Keep::tap<Penultimate>()}});
  teacher.forward(trace, std::as_const(c.x).view(), {});
  const loss::Mse map{trace.activation("relu").value, loss::at("relu")};
  const loss::Cosine pooled{teacher.tap<Penultimate>(trace).value, loss::tapped<Penultimate>()};
  for (const int tile : {1, 4, 0}) c.check(attack::Pgd<>{.steps = 2}, map, tile);
  c.check(attack::Pgd<>{.steps = 2}, pooled);
}

TEST_CASE(
    "dropout of a model that is attacked in train mode draws for the sample, not for the row") {
  const Case<Dropping> c{.mode = Mode::train};
  const loss::CrossEntropy ce{.labels = c.y.data()};
  c.check(attack::Pgd<>{.steps = 3}, ce);
  // the draws matter: another subset with the same rows gives other images
  attack::Workspace<> work(c.net, n, 0, {}, Mode::train);
  const Tensor<> clean = c.rows(c.x);
  Tensor<> a(c.some.size(), c.x.dims()), b(c.some.size(), c.x.dims());
  const attack::Pgd<> pgd{.steps = 3, .start = attack::Start::clean};
  const std::vector<std::int32_t> same(n, 4);
  const loss::CrossEntropy four{.labels = same.data()};
  const Selection<> others(std::vector<std::int32_t>{0, 1, 2, 3, 4, 5}, n);
  pgd(c.net, work, clean.view(), a.view(), four, {.mode = Mode::train, .samples = c.some.list()});
  pgd(c.net, work, clean.view(), b.view(), four, {.mode = Mode::train, .samples = others.list()});
  CHECK(a.download() != b.download());
}

TEST_CASE("chosen samples are refused where they cannot have the bits of the batch") {
  const Case<Net> c{.mode = Mode::train};
  const loss::CrossEntropy ce{.labels = c.y.data()};
  const Tensor<> clean = c.rows(c.x);
  Tensor<> a(c.some.size(), c.x.dims());
  const attack::Pgd<> pgd{.steps = 1};
  const auto attack = [&](Mode mode, const auto& loss, SampleList samples) {
    attack::Workspace<> work(c.net, n, 0, {}, mode);
    pgd(c.net, work, clean.view(), a.view(), loss, {.mode = mode, .samples = samples});
  };
  CHECK_THROWS_WITH_AS(attack(Mode::train, ce, c.some.list()),
                       "input_gradient: batch statistics couple the samples; in train mode an "
                       "attack takes the whole batch",
                       UsageError);
  const auto by_place = [&](Trace<float, cpu>& trace, const loss::Call<float>& call) {
    ce(trace, call);
  };
  CHECK_THROWS_WITH_AS(attack(Mode::eval, by_place, c.some.list()),
                       "loss: it takes the targets of consecutive samples; one that reads "
                       "Call::samples says `static constexpr bool gathers = true`",
                       UsageError);
  CHECK_THROWS_WITH_AS(attack(Mode::eval, ce, c.some.list().part(0, 4)),
                       "context: it lists 4 samples, the batch has 6", ShapeError);
  const Tensor<> short_target(n - 1, {10, 1, 1});
  CHECK_THROWS_WITH_AS(attack(Mode::eval, loss::Mse{short_target.view()}, c.some.list()),
                       "loss distance: the target has 12 samples, the batch holds samples 0 to 12",
                       ShapeError);
  CHECK_THROWS_WITH_AS(Selection<>(std::vector<std::int32_t>{0, 3}, 3),
                       "selection: sample 3 is not in a batch of 3", UsageError);
  CHECK_THROWS_WITH_AS(Selection<>(std::vector<std::int32_t>{1, 0, 1}, 3),
                       "selection: sample 1 comes twice", UsageError);
  CHECK_THROWS_AS(Selection<>(0), UsageError);
}
