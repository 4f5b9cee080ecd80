// FAB's distances on linear models, Square, AutoAttack, and victims that are no networks.
#include "linear.hpp"
#include "small.hpp"
#include "support/error_of.hpp"

#include <doctest/doctest.h>

#include <rnx/attack/ensemble.hpp>

using namespace rnx;
using small::Case;
using small::n;
using support::error_of;

namespace {

/// The smallest radius at which sample i of a linear model can be misclassified.
double distance(const linear::Model& m, op::Norm norm, int i, double margin) {
  double low = 0, high = 100;
  for (int k = 0; k < 100; ++k) {
    const double middle = (low + high) / 2;
    (m.worst(norm, i, middle) < margin ? low : high) = middle;
  }
  return high;
}
template <class Norm> void finds_boundary() {
  CAPTURE(Norm::name);
  for (const bool border : {false, true}) {
    const linear::Model m(border);
    attack::Workspace<double> work(m.net, linear::n);
    Tensor<double> a(linear::n, m.x.dims());
    // the labels are what the model says
    auto trace = m.net.make_trace({.capacity = linear::n});
    const auto z = to_host(m.net.forward(trace, m.x.view(), {}));
    linear::Model right = m;
    for (int i = 0; i < linear::n; ++i) right.labels[i] = z[2 * i] < z[2 * i + 1];
    const loss::CrossEntropy ce{.labels = right.labels.data()};
    const double all = Norm::kind == op::Norm::linf ? 1 : 1000;
    const auto check = [&](const auto& fab, double beyond) {
      fab(m.net, work, m.x.view(), a.view(), ce);
      const auto moved = to_nchw(std::as_const(a).view());
      for (int i = 0; i < linear::n; ++i) {
        const auto delta = [&](std::size_t k) {
          return moved[i * linear::features + k] - m.at[i * linear::features + k];
        };
        const double size = rows::norm(Norm::kind, linear::features, delta),
                     least = distance(right, Norm::kind, i, std::abs(z[2 * i] - z[2 * i + 1]));
        CHECK(size >= least * (1 - 1e-9));
        CHECK(size < least * (1 + beyond));
      }
    };
    // a step goes 5 % beyond the boundary, from 90 % of the way: it stops half a percent to one
    // percent behind it
    check(attack::Fab<Norm>{.eps = all, .steps = 20}, 1e-2);
    check(attack::Fab<Norm>{.eps = all, .steps = 60, .eta = 1.0002}, 1e-4);
    check(attack::FabTargeted<Norm>{.eps = all, .steps = 20, .targets = 1}, 1e-2);
  }
}

template <class Norm> void black_box(double eps) {
  CAPTURE(Norm::name);
  Case c;
  const attack::Square<Norm> square{.eps = eps, .queries = 150, .seed = 1};
  const auto a = c.moved(square);
  attack::verify<Norm, float>(c.x.download(), a, n, eps);
  const auto fooled = c.fooled(a);
  const long count = std::count(fooled.begin(), fooled.end(), true);
  CHECK(count > 0);
  // the same alone, where others of the batch have fallen, and in other tiles
  attack::Workspace<float> work(c.net, n, 3);
  Tensor<float> alone(1, c.x.dims()), x(1, c.x.dims());
  for (const std::int32_t i : {1, 8}) {
    const Selection<> chosen(std::vector<std::int32_t>{i}, n);
    run<cpu>({},
             op::gather_rows<float>{
                 .from = std::as_const(c.x).view(), .to = x.view(), .rows = chosen.list().data});
    square(c.net, work, std::as_const(x).view(), alone.view(),
           loss::CrossEntropy{.labels = c.y.data()}, {.samples = chosen.list()});
    CHECK(std::equal(alone.data(), alone.data() + 192, a.begin() + 192 * i));
  }
  CHECK(c.moved(attack::Square<Norm>{.eps = 0, .queries = 5}) == c.x.download());
}

}  // namespace

TEST_CASE("FAB finds the boundary of a linear model, at the border of [0, 1] too") {
  finds_boundary<norm::Linf>();
  finds_boundary<norm::L2>();
  finds_boundary<norm::L1>();
}

TEST_CASE("FAB returns clean images where nothing in the ball was found") {
  Case c;
  CHECK(c.moved(attack::Fab<>{.eps = 0, .steps = 3}) == c.x.download());
  const attack::FabTargeted<> fab{.eps = px(4), .steps = 20, .restarts = 2, .targets = 3};
  const auto a = c.moved(fab);
  attack::verify<norm::Linf, float>(c.x.download(), a, n, px(4));
  const auto fooled = c.fooled(a);
  const auto x = c.x.download();
  for (int i = 0; i < n; ++i)
    CHECK(fooled[i] !=
          std::equal(a.begin() + 192 * i, a.begin() + 192 * (i + 1), x.begin() + 192 * i));
  CHECK(std::count(fooled.begin(), fooled.end(), true) > 0);
  CHECK(error_of<UsageError>([&] { c.moved(attack::Fab<>{.eta = 0.5}); }) ==
        "attack: FAB needs a bias and beta in [0, 1] and eta of at least 1");
  CHECK(error_of<UsageError>([&] { c.moved(attack::FabTargeted<>{.targets = 12}); }) ==
        "attack: FAB-T with 12 targets needs at least 13 classes, found 10");
}

TEST_CASE("Square fools a network in each norm; a sample does not depend on its batch") {
  black_box<norm::Linf>(px(16));
  black_box<norm::L2>(1.5);
  black_box<norm::L1>(12);
  Case c;
  CHECK(error_of<UsageError>([&] { c.moved(attack::Square<>{.share = 0}); }) ==
        "attack: Square needs a restart, and squares of a share in (0, 1]");
}

TEST_CASE("AutoAttack is its attacks one after the other on what stands") {
  Case c;
  std::vector<std::string> names;
  std::vector<int> stood, fell, fallen(n);
  attack::AutoAttack<> aa{.eps = px(5), .seed = 7};
  aa.progress = [&](std::string_view name, int before, std::span<const std::int32_t> rows) {
    names.emplace_back(name);
    stood.push_back(before);
    fell.push_back(int(rows.size()));
    for (const std::int32_t row : rows) fallen[row] = int(names.size());
  };
  c.y[3] = (c.y[3] + 1) % 10;  // wrong on the clean image: never attacked
  const auto a = c.moved(aa);
  attack::verify<norm::Linf, float>(c.x.download(), a, n, px(5));
  CHECK(names == std::vector<std::string>{"apgd-ce", "apgd-t", "fab-t", "square"});
  CHECK(stood[0] == n - 1);
  for (int k = 1; k < 4; ++k) CHECK(stood[k] == stood[k - 1] - fell[k - 1]);
  const auto fooled = c.fooled(a);
  CHECK(std::count(fooled.begin(), fooled.end(), false) == stood[3] - fell[3]);
  CHECK((fell[0] > 0 && fell[1] > 0 && stood[3] > 0));
  for (int i = 0; i < n; ++i) CHECK((fallen[i] > 0) == (fooled[i] && i != 3));
  const auto x = c.x.download();
  CHECK(std::equal(a.begin() + 3 * 192, a.begin() + 4 * 192, x.begin() + 3 * 192));
  // the first attack alone gives the images of the samples that fell to it
  const auto first = c.moved(attack::AutoPgd<>{.eps = px(5), .seed = 7});
  const auto by_first = c.fooled(first);
  for (int i = 0; i < n; ++i)
    if (by_first[i] && i != 3) {
      CHECK(fallen[i] == 1);
      CHECK(std::equal(a.begin() + 192 * i, a.begin() + 192 * (i + 1), first.begin() + 192 * i));
    }
}

TEST_CASE("AutoAttack's versions, and what they refuse") {
  const auto names = [](const auto& aa) {
    std::string all;
    aa.each(10, [&](std::string_view name, const auto& attack, const auto&) {
      all += std::string(name) + ": " + attack.describe() + "\n";
    });
    return all;
  };
  using enum attack::AutoAttackVersion;
  const auto all =
      names(attack::AutoAttack<norm::L2>{.eps = 0.5, .version = attack::AutoAttackVersion::plus});
  CHECK(all.find("fab: fab l2 eps 0.5 steps 100 restarts 5") != all.npos);
  const auto l1 = names(attack::AutoAttack<norm::L1>{.eps = 12});
  CHECK(l1.find("restarts 5 eot 1 rule code rho 0.75 falling") != l1.npos);
  CHECK(l1.find("targets 5") != l1.npos);
  const auto random = names(attack::AutoAttack<>{.version = rand});
  CHECK(random.find("eot 20") != random.npos);
  CHECK(random.find("square") == random.npos);

  const Network<Linear<3>, Shape<3, 5, 5>> three(0);
  attack::Workspace<> work(three, 1);
  const Tensor<> x(1, {3, 5, 5});
  Tensor<> a(1, {3, 5, 5});
  const std::int32_t y[] = {0};
  CHECK(error_of<UsageError>([&] {
          attack::AutoAttack<>{}(three, work, x.view(), a.view(), loss::CrossEntropy{.labels = y});
        }) == "attack: AutoAttack standard needs at least 4 classes, found 3");
}

TEST_CASE("attacks on the worst of two networks and on their mean") {
  Case c;
  const small::Net other(9);
  const attack::Worst<float> worst({{.net = &c.net}, {.net = &other}});
  const attack::Ensemble<float> mean({{.net = &c.net}, {.net = &other}});
  const loss::CrossEntropy ce{.labels = c.y.data()};
  const auto x = std::as_const(c.x).view();
  const auto check = [&](const auto& victim, const auto& attack) {
    attack::Workspace<float> work(victim, n, 4);
    Tensor<float> a(n, c.x.dims());
    attack(victim, work, x, a.view(), ce);
    attack::verify<norm::Linf, float>(c.x.download(), a.download(), n, px(8));
    attack::Predictor<float> predict(victim, n);
    int wrong = 0;
    for (int i = 0; i < n; ++i) {
      bool right = true;
      for (int k = 0; k < victim.outputs(); ++k) {
        const auto z = to_host(predict(std::as_const(a).view(), {}, k));
        right = right && argmax(z.data() + 10 * i, 10) == c.y[i];
      }
      wrong += !right;
    }
    return wrong;
  };
  const attack::AutoPgd<> apgd{.eps = px(8), .steps = 10, .restarts = 2};
  CHECK(check(worst, apgd) > 0);
  CHECK(check(mean, apgd) > 0);
  CHECK(check(mean, attack::Square<>{.eps = px(8), .queries = 30}) > 0);
  CHECK(check(worst, attack::Square<>{.eps = px(8), .queries = 30}) > 0);
  CHECK(check(worst, attack::Fab<>{.eps = px(8), .steps = 5}) > 0);
  CHECK(check(mean, attack::AutoPgdTargeted<>{.eps = px(8), .steps = 5, .targets = 2}) > 0);
}

TEST_CASE("a workspace that goes from one network to another predicts with the second") {
  Case c;
  const small::Net other(9);
  const loss::CrossEntropy ce{.labels = c.y.data()};
  const attack::Square<> square{.eps = px(8), .queries = 30};
  c.moved(square);
  const auto x = std::as_const(c.x).view();
  attack::Workspace<float> work(other, n, 4);
  Tensor<float> again(n, c.x.dims()), fresh(n, c.x.dims());
  const Passes before = c.work.passes();
  square(other, c.work, x, again.view(), ce);
  square(other, work, x, fresh.view(), ce);
  CHECK(again.download() == fresh.download());
  CHECK(c.work.passes() - before == work.passes());
}
