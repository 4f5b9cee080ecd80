// AutoPGD: closed-form worst cases, its schedules, restarts on what stands, losses without labels,
// bad input.
#include "linear.hpp"
#include "small.hpp"
#include "support/error_of.hpp"

#include <doctest/doctest.h>

using namespace rnx;
using support::error_of;

using linear::reaches_worst_case;
using small::Case;
using small::n;

TEST_CASE("AutoPGD reaches the worst case of a linear model, at the border of [0, 1] too") {
  reaches_worst_case<norm::Linf>(attack::AutoPgd<norm::Linf>{.eps = 0.1});
  reaches_worst_case<norm::L2>(attack::AutoPgd<norm::L2>{.eps = 0.5}, 2e-3);
  reaches_worst_case<norm::L2>(attack::AutoPgd<norm::L2>{.eps = 0.5, .steps = 3000}, 3e-4);
  reaches_worst_case<norm::L1>(attack::AutoPgd<norm::L1>{.eps = 2}, 3e-3);
  reaches_worst_case<norm::L1>(attack::AutoPgd<norm::L1>{.eps = 2, .falling = true}, 3e-3);
  for (const auto rule : {attack::AutoPgdRule::paper, attack::AutoPgdRule::art}) {
    reaches_worst_case<norm::Linf>(attack::AutoPgd<norm::Linf>{.eps = 0.1, .rule = rule});
    reaches_worst_case<norm::L2>(attack::AutoPgd<norm::L2>{.eps = 0.5, .rule = rule}, 2e-3);
  }
}

TEST_CASE("the iterations at which AutoPGD looks at its step sizes") {
  const auto at = [](int steps, attack::AutoPgdRule rule, op::Norm norm = op::Norm::linf) {
    std::vector<int> when;
    const auto windows = attack::detail::auto_pgd_windows(steps, norm, rule);
    int last = 0;
    for (int k = 0; k < steps; ++k)
      if (windows[k]) {
        const int now = rule == attack::AutoPgdRule::code || norm == op::Norm::l1 ? k + 1 : k;
        CHECK(windows[k] == now - last);
        last = now;
        when.push_back(now);
      }
    return when;
  };
  using enum attack::AutoPgdRule;
  using List = std::vector<int>;
  CHECK(at(100, code) == List{22, 41, 57, 70, 80, 87, 93, 99});
  CHECK(at(50, code) == List{11, 21, 30, 38, 45});
  CHECK(at(20, code) == List{4, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20});
  CHECK(at(40, code) == List{8, 15, 21, 26, 30, 33, 35, 37, 39});
  CHECK(at(1, code) == List{1});
  CHECK(at(100, paper) == List{22, 41, 57, 70, 80, 87, 93, 99});
  CHECK(at(100, art) == List{22, 41, 58, 70, 80, 87, 93, 99});
  CHECK(at(50, art) == List{11, 21, 29, 35, 40, 44, 47});  // the one at 50 is never reached
  CHECK(at(100, code, op::Norm::l1).size() == 25);
  CHECK(at(100, code, op::Norm::l1)[1] == 8);
  CHECK(at(0, code).empty());
}

TEST_CASE("AutoPGD: eps = 0 changes nothing, results lie in the ball, more hurts more") {
  Case c;
  CHECK(c.moved(attack::AutoPgd<>{.eps = 0, .steps = 5}) == c.x.download());
  CHECK(c.moved(attack::AutoPgd<norm::L2>{.eps = 0, .steps = 5}) == c.x.download());
  CHECK(c.moved(attack::AutoPgd<norm::L1>{.eps = 0, .steps = 5}) == c.x.download());
  CHECK(c.moved(attack::AutoPgd<norm::L1>{.eps = 0, .steps = 5, .falling = true}) ==
        c.x.download());
  const auto check = [&]<class Norm>(const attack::AutoPgd<Norm>& apgd) {
    const auto a = c.moved(apgd);
    attack::verify<Norm, float>(c.x.download(), a, n, apgd.eps);
    CHECK(a != c.x.download());
    CHECK(c.moved(apgd) == a);
  };
  check(attack::AutoPgd<>{.eps = px(8), .steps = 20});
  check(attack::AutoPgd<norm::L2>{.eps = 0.5, .steps = 20});
  check(attack::AutoPgd<norm::L1>{.eps = 5, .steps = 20, .falling = true});
}

TEST_CASE("a sample has the same bits among those that still stand, in the batch and in tiles") {
  Case c;
  const loss::CrossEntropy ce{.labels = c.y.data()};
  const attack::AutoPgd<> apgd{.eps = px(6), .steps = 12, .restarts = 3, .seed = 3};
  const auto whole = c.moved(apgd);
  // without its labels' help a loss takes part in every restart
  const auto same = [&](Trace<float>& trace, const loss::Call<float>& call) { ce(trace, call); };
  const auto all = c.moved(apgd, same);
  CHECK(all != whole);
  attack::Workspace<float> other(c.net, n, 3);
  Tensor<float> a(n, c.x.dims());
  apgd(c.net, other, std::as_const(c.x).view(), a.view(), ce);
  CHECK(a.download() == whole);
  // chosen samples of the batch
  const std::vector<std::int32_t> some{7, 2, 9};
  const Selection<> chosen(some, n);
  Tensor<float> x(3, c.x.dims());
  run<cpu>({}, op::gather_rows<float>{
                   .from = std::as_const(c.x).view(), .to = x.view(), .rows = chosen.list().data});
  apgd(c.net, c.work, std::as_const(x).view(), a.view().samples(0, 3), ce,
       {.samples = chosen.list()});
  const auto part = a.download();
  for (int i = 0; i < 3; ++i)
    for (int k = 0; k < 192; ++k) CHECK(part[192 * i + k] == whole[192 * some[i] + k]);
}

TEST_CASE("targeted AutoPGD takes one target after the other") {
  Case c;
  const attack::AutoPgdTargeted<> one{.eps = px(10), .steps = 10, .targets = 1},
      nine{.eps = px(10), .steps = 10};
  const auto a = c.moved(one), b = c.moved(nine);
  attack::verify<norm::Linf, float>(c.x.download(), b, n, px(10));
  const auto by_one = c.fooled(a), by_nine = c.fooled(b);
  int first = 0;
  for (int i = 0; i < n; ++i) {  // every image is that of the first target, or of a later success
    const bool same =
        std::equal(a.begin() + 192 * i, a.begin() + 192 * (i + 1), b.begin() + 192 * i);
    CHECK(same == (by_one[i] || !by_nine[i]));
    first += by_one[i];
  }
  CHECK((first > 0 && first < n));
  CHECK(nine.passes() == 99);
}

TEST_CASE("AutoPGD refuses options that mean nothing") {
  Case c;
  const auto refused = [&](const auto& attack) {
    return error_of<UsageError>([&] { c.moved(attack); });
  };
  CHECK(refused(attack::AutoPgd<>{.steps = 0}) ==
        "attack: AutoPGD needs at least one step, restart and draw");
  CHECK(refused(attack::AutoPgd<>{.rho = 1.5}) ==
        "attack: AutoPGD's rho must be in [0, 1], found 1.500000");
  CHECK(refused(attack::AutoPgd<>{.falling = true}) ==
        "attack: AutoPGD's radius falls in L1 alone");
  CHECK(refused(attack::AutoPgd<>{.eps = 2}) ==
        "attack: eps in Linf must be at most 1 (images lie in [0, 1]), found 2.000000");
  CHECK(refused(attack::AutoPgdTargeted<>{.targets = 10}) ==
        "attack: targeted AutoPGD with 10 targets needs at least 11 classes, found 10");
  CHECK(refused(attack::AutoPgdTargeted<>{.targets = 0}) ==
        "attack: targeted AutoPGD with 0 targets needs at least 2 classes, found 10");
}
