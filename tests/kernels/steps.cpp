// Losses against finite differences and closed forms, optimizers against their formulas, attack
// steps against their balls.
#include "support.hpp"

namespace {

using namespace test;
namespace op = rnx::op;
using doctest::Approx;

/// dz of a loss (z, value, dz) of n rows is the gradient of weight x the sum of values; `add` adds
/// to it.
template <class Loss> void gradient_check(std::vector<double> z, Loss loss) {
  const std::size_t rows = 4;
  std::vector<double> value(rows), dz(z.size(), 5), again(z.size(), 1), ignored(z.size());
  loss(z, value, dz, false);
  loss(z, value, again, true);
  for (std::size_t i = 0; i < z.size(); ++i) {
    double sum[2] = {};
    for (int side : {0, 1}) {
      auto moved = z;
      moved[i] += (side ? 1 : -1) * 1e-5;
      loss(moved, value, ignored, false);
      for (double v : value) sum[side] += v;
    }
    CHECK(dz[i] == Approx(.5 * (sum[1] - sum[0]) / 2e-5).epsilon(1e-6).scale(1));
    CHECK(again[i] == Approx(1 + dz[i]));
  }
}

}  // namespace

TEST_CASE("losses") {
  const Map m{4, 1, 1, 6, 6};
  const auto z = numbers<double>(24, 1), t = numbers<double>(24, 2);
  const std::int32_t labels[] = {0, 5, 2, 2};
  for (double smoothing : {0., .1})
    gradient_check(z, [&](auto& s, auto& value, auto& dz, bool add) {
      run(op::cross_entropy<double>{.logits = {m, s.data()},
                                    .dz = {m, dz.data()},
                                    .labels = labels,
                                    .value = value.data(),
                                    .smoothing = smoothing,
                                    .weight = .5,
                                    .add = add});
    });
  for (bool reverse : {false, true})
    gradient_check(z, [&](auto& s, auto& value, auto& dz, bool add) {
      run(op::kl_divergence<double>{.logits = {m, s.data()},
                                    .teacher = {m, t.data()},
                                    .dz = {m, dz.data()},
                                    .value = value.data(),
                                    .temperature = 3.,
                                    .weight = .5,
                                    .reverse = reverse,
                                    .add = add});
      for (double v : value) CHECK(v >= 0);
    });
  for (int kind : {0, 1, 2, 3})
    gradient_check(z, [&](auto& s, auto& value, auto& dz, bool add) {
      run(op::row_distance<double>{.s = {m, s.data()},
                                   .t = {m, t.data()},
                                   .ds = {m, dz.data()},
                                   .value = value.data(),
                                   .kind = kind,
                                   .weight = .5,
                                   .add = add});
    });
  // stable for huge logits; no value for a label outside the classes or a logit that is not finite
  std::vector<float> huge{1e30f, 0, 0, 3e38f, -3e38f, 0}, value(2);
  const std::int32_t good[] = {0, 0}, bad[] = {3, -1};
  run(op::cross_entropy<float>{.logits = {{2, 1, 1, 3, 3}, huge.data()},
                               .dz = {{2, 1, 1, 3, 3}, nullptr},
                               .labels = good,
                               .value = value.data(),
                               .smoothing = 0,
                               .weight = 1,
                               .add = false});
  CHECK(value == std::vector<float>{0, 0});
  run(op::cross_entropy<float>{.logits = {{2, 1, 1, 3, 3}, huge.data()},
                               .dz = {{2, 1, 1, 3, 3}, nullptr},
                               .labels = bad,
                               .value = value.data(),
                               .smoothing = 0,
                               .weight = 1,
                               .add = false});
  CHECK((std::isnan(value[0]) && std::isnan(value[1])));
  huge[1] = INFINITY;
  run(op::cross_entropy<float>{.logits = {{2, 1, 1, 3, 3}, huge.data()},
                               .dz = {{2, 1, 1, 3, 3}, huge.data()},
                               .labels = good,
                               .value = value.data(),
                               .smoothing = 0,
                               .weight = 1,
                               .add = false});
  CHECK((std::isnan(value[0]) && std::isnan(huge[0]) && value[1] == 0));
}

TEST_CASE("optimizers") {
  const std::size_t count = 40000;
  const auto g = numbers<double>(count, 1), start = numbers<double>(count, 2);
  rnx::StepValues values{.lr = .1, .momentum = .9};
  const double clip = .5;
  for (bool nesterov : {false, true}) {
    auto p = start;
    std::vector<double> v(count, 3);
    for (bool first : {true, false})
      run(op::sgd_step<double>{.count = count,
                               .lr_factor = 2,
                               .decay = .01,
                               .nesterov = nesterov,
                               .first = first,
                               .values = &values,
                               .clip = &clip,
                               .gradient = g.data(),
                               .velocity = v.data(),
                               .parameter = p.data()});
    const double g1 = .5 * g[7] + .01 * start[7], v1 = g1,
                 p1 = start[7] - .2 * (nesterov ? g1 + .9 * v1 : v1);
    const double g2 = .5 * g[7] + .01 * p1, v2 = .9 * v1 + g2;
    CHECK(v[7] == Approx(v2));
    CHECK(p[7] == Approx(p1 - .2 * (nesterov ? g2 + .9 * v2 : v2)));
  }
  auto p = start;
  std::vector<double> m(count), v(count), average(count, 1);
  for (long t : {1, 2})
    run(op::adam_step<double>{.count = count,
                              .lr_factor = 1,
                              .beta1 = .9,
                              .beta2 = .99,
                              .eps = 1e-8,
                              .decay = 0,
                              .t = t,
                              .values = &values,
                              .clip = nullptr,
                              .gradient = g.data(),
                              .m = m.data(),
                              .v = v.data(),
                              .parameter = p.data()});
  CHECK(p[9] == Approx(start[9] - .2 * (g[9] > 0 ? 1 : -1))
                    .epsilon(1e-6));  // a constant gradient moves by lr
  run(op::ema_step<double>{
      .count = count, .decay = .9, .parameter = start.data(), .average = average.data()});
  CHECK(average[3] == Approx(.9 + .1 * start[3]));
  auto y = g;
  run(op::axpy<double>{.count = count, .alpha = 2, .x = start.data(), .y = y.data()});
  CHECK(y[count - 1] == Approx(g[count - 1] + 2 * start[count - 1]));
  run(op::fill<double>{count, 4, y.data()});
  CHECK((y[0] == 4 && y[count - 1] == 4));
  const auto many = numbers<float>(200001, 3);
  double exact = 1, sum = 0, factor = 0;
  for (float x : many) exact += double(x) * x;
  CHECK(same_for_threads([&] {
    sum = 1, run(op::square_sum<float>{many.size(), many.data(), &sum});
    return std::vector<double>{sum};
  }));
  CHECK(sum == Approx(exact).epsilon(1e-12));
  run(op::clip_factor<float>{2, &sum, &factor});
  CHECK(factor == Approx(2 / (std::sqrt(sum) + 1e-6)));
  run(op::clip_factor<float>{1e9, &sum, &factor});
  CHECK(factor == 1);
}

TEST_CASE("attack steps") {
  const Map m{3, 4, 5, 3, 3};
  std::vector<double> clean = numbers<double>(180, 1), g = numbers<double>(180, 2), x(180),
                      alone(60);
  for (double& v : clean) v = .5 + .5 * v;
  g[4] = 0;
  rnx::StepValues values{.seed = 1, .draw = 2, .eps = .1, .step = .03};
  const auto length = [&](int n) {
    double sum = 0;
    for (int i = 60 * n; i < 60 * n + 60; ++i) sum += (x[i] - clean[i]) * (x[i] - clean[i]);
    return std::sqrt(sum);
  };
  for (int norm : {0, 1}) {
    run(op::attack_start<double>{.clean = {m, clean.data()},
                                 .adversarial = {m, x.data()},
                                 .values = &values,
                                 .norm = norm,
                                 .draw = 0,
                                 .first_sample = 10});
    run(op::attack_start<double>{.clean = {{1, 4, 5, 3, 3}, clean.data() + 120},
                                 .adversarial = {{1, 4, 5, 3, 3}, alone.data()},
                                 .values = &values,
                                 .norm = norm,
                                 .draw = 0,
                                 .first_sample = 12});
    CHECK(same(alone,
               std::vector<double>(x.begin() + 120, x.end())));  // keyed by the sample's number
    CHECK(x[0] != x[60]);
    const auto started = x;
    for (int k = 0; k < 8; ++k) {
      run(op::attack_step<double>{.clean = {m, clean.data()},
                                  .gradient = {m, g.data()},
                                  .adversarial = {m, x.data()},
                                  .values = &values,
                                  .norm = norm,
                                  .fgsm = false});
      for (int i = 0; i < 180; ++i)
        CHECK((x[i] >= 0 && x[i] <= 1 && (norm || std::fabs(x[i] - clean[i]) <= .1 + 1e-12)));
      for (int n = 0; n < 3; ++n) CHECK((norm == 0 || length(n) <= .1 + 1e-12));
    }
    if (norm == 0)
      for (int i = 0; i < 180; ++i)
        CHECK(x[i] == Approx(i == 4
                                 ? started[4]
                                 : std::fmin(1, std::fmax(0, clean[i] + (g[i] > 0 ? .1 : -.1)))));
    x = clean, run(op::attack_step<double>{.clean = {m, clean.data()},
                                           .gradient = {m, g.data()},
                                           .adversarial = {m, x.data()},
                                           .values = &values,
                                           .norm = norm,
                                           .fgsm = true});
    CHECK(x[2] ==
          Approx(std::fmin(1, std::fmax(0, norm == 0 ? clean[2] + (g[2] > 0 ? .1 : -.1) : x[2]))));
    CHECK((norm == 0 || (length(1) > .05 && length(1) <= .1 + 1e-12)));
  }
  std::vector<double> delta(180, .05), moved(180);
  run(op::perturbation_step<double>{
      .count = 180, .values = &values, .gradient = g.data(), .delta = delta.data()});
  run(op::perturb<double>{
      .count = 180, .x = clean.data(), .delta = delta.data(), .y = moved.data()});
  for (int i = 0; i < 180; ++i) {
    CHECK(delta[i] == Approx(i == 4 ? .05 : g[i] > 0 ? .1 : -.05));
    CHECK(moved[i] == Approx(std::fmin(1, std::fmax(0, clean[i] + delta[i]))));
  }
}
