// BIM, the best iterate of PGD, MI-FGSM and expected gradients.
#include "linear.hpp"
#include "small.hpp"
#include "support/error_of.hpp"

#include <doctest/doctest.h>

using namespace rnx;
using linear::reaches_worst_case;
using small::Case;
using small::n;
using support::error_of;

TEST_CASE("iterated attacks reach the worst case of a linear model") {
  reaches_worst_case<norm::Linf>(attack::bim(0.1, 10));
  reaches_worst_case<norm::Linf>(attack::BestPgd<>{.eps = 0.1});
  reaches_worst_case<norm::Linf>(attack::MiFgsm<>{.eps = 0.1});
  // At the border of [0, 1] steps that add up to the radius leave some of it unused, and clipping
  // after the projection costs what a step is long.
  reaches_worst_case<norm::L2>(attack::bim<norm::L2>(0.5, 10), 0.1);
  reaches_worst_case<norm::L2>(attack::MiFgsm<norm::L2>{.eps = 0.5}, 0.1);
  reaches_worst_case<norm::L2>(attack::BestPgd<norm::L2>{.eps = 0.5, .step = 0.005, .steps = 1500},
                               2e-2);
}

TEST_CASE("the best iterate of PGD has the largest loss of all, over restarts too") {
  Case c;
  const loss::CrossEntropy ce{.labels = c.y.data()};
  std::vector<std::vector<float>> seen;
  // without labels, every restart counts by its loss
  const auto watched = [&](Trace<float>& trace, const loss::Call<float>& call) {
    ce(trace, call);
    if (call.first == 0) seen.emplace_back(n);
    std::copy_n(call.values, trace.n(), seen.back().begin() + call.first);
  };
  const attack::BestPgd<> best{.eps = px(4), .step = px(4), .steps = 6, .restarts = 3};
  const auto a = c.moved(best, watched);
  REQUIRE(seen.size() == 3 * 7);
  std::vector<float> largest(n, -1e30f), first(n, -1e30f), last = seen.back();
  for (std::size_t k = 0; k < seen.size(); ++k)
    for (int i = 0; i < n; ++i) {
      largest[i] = std::max(largest[i], seen[k][i]);
      if (k < 7) first[i] = std::max(first[i], seen[k][i]);
    }
  CHECK(largest != first);
  CHECK(largest != last);
  Tensor<float> moved(n, c.x.dims());
  moved.upload(a);
  Buffer<float> values(n);
  attack::loss_values<float, cpu>(c.net, c.work, moved.view(), ce, {}, values.data());
  CHECK(values.download() == largest);
  attack::verify<norm::Linf, float>(c.x.download(), a, n, px(4));
  CHECK(best.passes() == 21);
  // with labels, a sample that fell is left alone: no more are right than after one run
  const auto judged = c.fooled(c.moved(best)),
             once = c.fooled(c.moved(attack::BestPgd<>{.eps = px(4), .step = px(4), .steps = 6}));
  for (int i = 0; i < n; ++i) CHECK(judged[i] >= once[i]);
}

TEST_CASE("MI-FGSM without decay is BIM, eps = 0 changes nothing, results lie in the ball") {
  Case c;
  CHECK(c.moved(attack::MiFgsm<>{.eps = px(8), .steps = 5, .decay = 0}) ==
        c.moved(attack::bim(px(8), 5)));
  CHECK(c.moved(attack::MiFgsm<>{.eps = px(8), .steps = 5}) != c.moved(attack::bim(px(8), 5)));
  CHECK(c.moved(attack::MiFgsm<>{.eps = 0}) == c.x.download());
  CHECK(c.moved(attack::BestPgd<>{.eps = 0}) == c.x.download());
  CHECK(c.moved(attack::BestPgd<norm::L2>{.eps = 0}) == c.x.download());
  attack::verify<norm::L2, float>(c.x.download(), c.moved(attack::MiFgsm<norm::L2>{.eps = 0.5}), n,
                                  0.5);
  CHECK(error_of<UsageError>([&] { c.moved(attack::MiFgsm<>{.decay = -1}); }) ==
        "attack: MI-FGSM needs a draw and a decay that is not negative");
  CHECK(error_of<UsageError>([&] { c.moved(attack::BestPgd<>{.restarts = 0}); }) ==
        "attack: PGD needs at least one restart and draw");
}

TEST_CASE("expected gradients: of a network without random numbers the same, to rounding") {
  Case c;
  const auto one = c.moved(attack::MiFgsm<norm::L2>{.eps = 0.5, .steps = 3}),
             four = c.moved(attack::MiFgsm<norm::L2>{.eps = 0.5, .steps = 3, .eot = 4});
  double worst = 0;
  for (std::size_t i = 0; i < one.size(); ++i)
    worst = std::max(worst, std::abs(double(one[i]) - four[i]));
  CHECK(worst < 1e-4);
  // with dropout, which runs in train mode alone, the mean of many differs less from run to run
  const Network<Sequential<Named<"conv", Conv<6, 3>>, Named<"relu", act::Relu>, Dropout<>,
                           GlobalAveragePool, Named<"fc", Linear<4>>>,
                Shape<3, 8, 8>>
      noisy(3);
  attack::Workspace<float> work(noisy, n, 0, {}, Mode::train);
  std::vector<std::int32_t> y(n, 1);
  const auto spread = [&](int eot) {
    std::vector<std::vector<float>> moved;
    for (std::uint64_t draw : {0, 1000}) {
      Tensor<float> a(n, c.x.dims());
      attack::MiFgsm<norm::L2>{.eps = 0.5, .steps = 1, .eot = eot}(
          noisy, work, std::as_const(c.x).view(), a.view(), loss::CrossEntropy{.labels = y.data()},
          {.mode = Mode::train}, draw);
      moved.push_back(a.download());
    }
    double sum = 0;
    for (std::size_t i = 0; i < moved[0].size(); ++i)
      sum += std::pow(double(moved[0][i]) - moved[1][i], 2);
    return sum;
  };
  const double alone = spread(1), mean = spread(32);
  CHECK(alone > 0);
  CHECK(mean < 0.3 * alone);
}
