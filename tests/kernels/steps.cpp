// Losses against finite differences and closed forms, optimizers against their formulas, attack
// steps against their balls.
#include "rnx/attack/cpu.hpp"
#include "rnx/loss/cpu.hpp"
#include "rnx/optim/cpu.hpp"
#include "rnx/train/cpu.hpp"
#include "support.hpp"

#include <numeric>

namespace {

using namespace test;
namespace op = rnx::op;
using doctest::Approx;

const std::size_t count = 40000;  // of an optimizer's parameters

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

/// Huge logits of two samples and three classes, and the values of their cross entropy.
struct HugeLogits {
  const Map m{2, 1, 1, 3, 3};
  std::vector<float> z{1e30f, 0, 0, 3e38f, -3e38f, 0}, value = std::vector<float>(2);

  void cross_entropy(const std::int32_t* labels, float* dz) {
    run(op::cross_entropy<float>{.logits = {m, z.data()},
                                 .dz = {m, dz},
                                 .labels = labels,
                                 .value = value.data(),
                                 .smoothing = 0,
                                 .weight = 1,
                                 .add = false});
  }
};

double clamped(double v) { return std::fmin(1, std::fmax(0, v)); }

/// Three samples of 60 values, and the attack on them in one norm.
struct Attack {
  const op::Norm norm;
  const Map m{3, 4, 5, 3, 3};
  const rnx::StepValues values{.seed = 1, .draw = 2, .eps = .1, .step = .03};
  std::vector<double> clean = numbers<double>(180, 1), g = numbers<double>(180, 2),
                      x = std::vector<double>(180);

  explicit Attack(op::Norm norm = op::Norm::linf) : norm(norm) {
    for (double& v : clean) v = .5 + .5 * v;
    g[4] = 0;
  }
  void start() {
    run(op::attack_start<double>{.clean = {m, clean.data()},
                                 .adversarial = {m, x.data()},
                                 .values = &values,
                                 .norm = norm,
                                 .draw = 0,
                                 .first_sample = 10});
  }
  void step(bool fgsm) {
    run(op::attack_step<double>{.clean = {m, clean.data()},
                                .gradient = {m, g.data()},
                                .adversarial = {m, x.data()},
                                .values = &values,
                                .norm = norm,
                                .fgsm = fgsm});
  }
  /// Of sample n's perturbation.
  double length(int n) const {
    double sum = 0;
    for (int i = 60 * n; i < 60 * n + 60; ++i) sum += (x[i] - clean[i]) * (x[i] - clean[i]);
    return std::sqrt(sum);
  }
  /// Value i at the edge of the Linf ball.
  double edge(int i) const { return clean[i] + (g[i] > 0 ? .1 : -.1); }
};

void check_random_start(Attack& a) {
  std::vector<double> alone(60);
  a.start();
  run(op::attack_start<double>{.clean = {{1, 4, 5, 3, 3}, a.clean.data() + 120},
                               .adversarial = {{1, 4, 5, 3, 3}, alone.data()},
                               .values = &a.values,
                               .norm = a.norm,
                               .draw = 0,
                               .first_sample = 12});
  CHECK(same(alone,
             std::vector<double>(a.x.begin() + 120, a.x.end())));  // keyed by the sample's number
  CHECK(a.x[0] != a.x[60]);
}

/// Eight steps from the start: in the ball after each, in Linf at its edge after the last.
void check_steps(Attack& a) {
  const auto started = a.x;
  for (int k = 0; k < 8; ++k) {
    a.step(false);
    for (int i = 0; i < 180; ++i)
      CHECK((a.x[i] >= 0 && a.x[i] <= 1 &&
             (a.norm == op::Norm::l2 || std::fabs(a.x[i] - a.clean[i]) <= .1 + 1e-12)));
    for (int n = 0; n < 3; ++n) CHECK((a.norm == op::Norm::linf || a.length(n) <= .1 + 1e-12));
  }
  if (a.norm == op::Norm::linf)
    for (int i = 0; i < 180; ++i) CHECK(a.x[i] == Approx(i == 4 ? started[4] : clamped(a.edge(i))));
}

void check_fgsm(Attack& a) {
  a.x = a.clean;
  a.step(true);
  CHECK(a.x[2] == Approx(clamped(a.norm == op::Norm::linf ? a.edge(2) : a.x[2])));
  CHECK((a.norm == op::Norm::linf || (a.length(1) > .05 && a.length(1) <= .1 + 1e-12)));
}

}  // namespace

TEST_CASE("gradients of losses") {
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
  for (const op::Distance kind : {op::Distance::mean_square, op::Distance::cosine, op::Distance::l2,
                                  op::Distance::relative_l2})
    gradient_check(z, [&](auto& s, auto& value, auto& dz, bool add) {
      run(op::row_distance<double>{.s = {m, s.data()},
                                   .t = {m, t.data()},
                                   .ds = {m, dz.data()},
                                   .value = value.data(),
                                   .kind = kind,
                                   .weight = .5,
                                   .add = add});
    });
}

TEST_CASE("cross entropy is stable for huge logits") {
  HugeLogits huge;
  const std::int32_t labels[] = {0, 0};
  huge.cross_entropy(labels, nullptr);
  CHECK(huge.value == std::vector<float>{0, 0});
}

TEST_CASE("cross entropy has no value for a label outside the classes or an infinite logit") {
  HugeLogits huge;
  const std::int32_t good[] = {0, 0}, bad[] = {3, -1};
  huge.cross_entropy(bad, nullptr);
  CHECK((std::isnan(huge.value[0]) && std::isnan(huge.value[1])));
  huge.z[1] = INFINITY;
  huge.cross_entropy(good, huge.z.data());
  CHECK((std::isnan(huge.value[0]) && std::isnan(huge.z[0]) && huge.value[1] == 0));
}

TEST_CASE("SGD") {
  const auto g = numbers<double>(count, 1), start = numbers<double>(count, 2);
  const rnx::StepValues values{.lr = .1, .momentum = .9};
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
}

TEST_CASE("Adam") {
  const auto g = numbers<double>(count, 1), start = numbers<double>(count, 2);
  const rnx::StepValues values{.lr = .1, .momentum = .9};
  auto p = start;
  std::vector<double> m(count), v(count);
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
}

TEST_CASE("moving average") {
  const auto start = numbers<double>(count, 2);
  std::vector<double> average(count, 1);
  run(op::ema_step<double>{
      .count = count, .decay = .9, .parameter = start.data(), .average = average.data()});
  CHECK(average[3] == Approx(.9 + .1 * start[3]));
}

TEST_CASE("axpy and fill") {
  const auto g = numbers<double>(count, 1), start = numbers<double>(count, 2);
  auto y = g;
  run(op::axpy<double>{.count = count, .alpha = 2, .x = start.data(), .y = y.data()});
  CHECK(y[count - 1] == Approx(g[count - 1] + 2 * start[count - 1]));
  run(op::fill<double>{count, 4, y.data()});
  CHECK((y[0] == 4 && y[count - 1] == 4));
}

TEST_CASE("square sum and the factor of clipping") {
  const auto many = numbers<float>(200001, 3);
  double exact = 1, sum = 0, factor = 0;
  for (float x : many) exact += double(x) * x;
  CHECK(same_for_threads([&] {
    sum = 1;
    run(op::square_sum<float>{many.size(), many.data(), &sum});
    return std::vector<double>{sum};
  }));
  CHECK(sum == Approx(exact).epsilon(1e-12));
  run(op::clip_factor<float>{2, &sum, &factor});
  CHECK(factor == Approx(2 / (std::sqrt(sum) + 1e-6)));
  run(op::clip_factor<float>{1e9, &sum, &factor});
  CHECK(factor == 1);
}

TEST_CASE("attack steps") {
  for (const op::Norm norm : {op::Norm::linf, op::Norm::l2}) {
    Attack attack(norm);
    check_random_start(attack);
    check_steps(attack);
    check_fgsm(attack);
  }
}

TEST_CASE("perturbation steps") {
  Attack a;
  std::vector<double> delta(180, .05), moved(180);
  const auto step = [&](op::Norm norm, std::vector<double>& to) {
    run(op::perturbation_step<double>{.rows = 3,
                                      .features = 60,
                                      .norm = norm,
                                      .values = &a.values,
                                      .gradient = a.g.data(),
                                      .delta = to.data()});
  };
  step(op::Norm::linf, delta);
  run(op::perturb<double>{
      .count = 180, .x = a.clean.data(), .delta = delta.data(), .y = moved.data()});
  for (int i = 0; i < 180; ++i) {
    CHECK(delta[i] == Approx(i == 4 ? .05 : a.g[i] > 0 ? .1 : -.05));
    CHECK(moved[i] == Approx(clamped(a.clean[i] + delta[i])));
  }
  const auto length = [](const std::vector<double>& v, int row) {
    return std::sqrt(std::inner_product(v.begin() + row * 60, v.begin() + row * 60 + 60,
                                        v.begin() + row * 60, 0.0));
  };
  const double eps = a.values.eps;
  std::vector<double> ball(180, 0);
  step(op::Norm::l2, ball);  // from 0: of length eps, along the gradient
  for (int i = 0; i < 180; ++i) CHECK(ball[i] == Approx(eps * a.g[i] / length(a.g, i / 60)));
  for (int i = 0; i < 180; ++i) ball[i] = 0.4 * ball[i] + 0.01;  // elsewhere: back to the sphere
  const auto before = ball;
  step(op::Norm::l2, ball);
  for (int row = 0; row < 3; ++row) CHECK(length(ball, row) == Approx(eps).epsilon(1e-5));
  for (int i = 0; i < 180; ++i) {
    std::vector<double> far(before);
    for (int j = 0; j < 180; ++j) far[j] += eps * a.g[j] / length(a.g, j / 60);
    CHECK(ball[i] == Approx(far[i] * eps / length(far, i / 60)).epsilon(1e-5));
  }
}
