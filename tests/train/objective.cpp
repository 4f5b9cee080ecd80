// Objectives of users, optimizers that outlive a step, frozen batch norms, and attacks that are the
// same in training and in evaluation.
#include "support/batch.hpp"
#include "support/error_of.hpp"

#include <doctest/doctest.h>

#include <rnx/eval.hpp>
#include <rnx/train.hpp>

using namespace rnx;

namespace {

using Net = Network<support::SmallResNet<>, Shape<3, 8, 8>>;

data::Images images(int n, bool grey = false) {
  data::Images set{.n = n,
                   .dims = {3, 8, 8},
                   .classes = 10,
                   .pixels = {},
                   .labels = support::labels(n, 10),
                   .class_names = {}};
  const rng::Stream random(5, Purpose::test);
  for (int i = 0; i < n * 192; ++i) set.pixels.push_back(grey ? 128 : std::uint8_t(random.bits(i)));
  if (grey) std::fill(set.labels.begin(), set.labels.end(), 3);
  return set;
}

train::FitOptions options(double lr) {
  return {.epochs = 2, .batch = 8, .seed = 4, .augment = {}, .schedule = [lr](long, long) {
            return optim::Rates{lr};
          }};
}

/// An objective of the user's: a plain struct.
struct Scaled {
  double weight = 1;
  train::Rows rows{};
  bool trains = true;

  void plan(auto& p) {
    p.pass("images", {.rows = rows});
    p.value("scaled.weight", weight);
  }
  void step(auto& s) {
    s.forward("images");
    if (trains)
      s.descend({.pass = "images", .name = "scaled", .weight = weight},
                loss::CrossEntropy{.labels = s.labels.data()});
  }
};

/// An attack that notes its last images.
template <class Attack> struct Spy {
  using norm = typename Attack::norm;
  Attack attack;
  std::vector<float>* seen;
  Rational eps = attack.eps;
  std::uint64_t seed = attack.seed;

  int passes() const { return attack.passes(); }
  void set(StepValues& v) const { attack.set(v); }
  template <class Loss>
  void operator()(const NetworkBase<float>& net, attack::Workspace<float>& work,
                  View<const float> x, View<float> moved, const Loss& loss, Context ctx = {},
                  std::uint64_t draw = 0) const {
    Attack own = attack;
    own.seed = seed;
    own(net, work, x, moved, loss, ctx, draw);
    *seen = to_host(moved);
  }
};

/// The adversarial images of the first training step and those of an evaluation with the same seed,
/// which must be equal.
template <class Attack> std::vector<float> in_training_and_evaluation(const Attack& attack) {
  std::vector<float> trained, evaluated;
  const data::Images set = images(4, true);
  Net net(1);
  const Spy<Attack> spy{.attack = attack, .seen = &evaluated};
  eval::accuracy(net, set, spy, {.batch = 4, .seed = 4});
  optim::Sgd<float> sgd;
  train::FitOptions o = options(0);
  o.epochs = 1;
  o.batch = 4;
  train::fit(net, set, train::Adversarial<Spy<Attack>>{{.attack = attack, .seen = &trained}}, sgd,
             o);
  CHECK(trained == evaluated);
  return trained;
}

/// The largest norm of a perturbation of grey images.
template <class Norm> double size_of(const std::vector<float>& moved) {
  double largest = 0;
  for (std::size_t i = 0; i < moved.size(); i += 192) {
    double sum = 0, most = 0;
    for (std::size_t k = i; k < i + 192; ++k) {
      const double d = double(moved[k]) - 128.0 / 255;
      sum += d * d;
      most = std::max(most, std::abs(d));
    }
    largest = std::max(largest, Norm::kind == op::Norm::linf ? most : std::sqrt(sum));
  }
  return largest;
}

template <class Norm> void sizes(Rational eps) {
  using attack::Start;
  for (const Start start : {Start::clean, Start::random, Start::gaussian}) {
    CAPTURE(int(start));
    const attack::Fgsm<Norm> fgsm{.eps = eps, .start = start, .step = 1.25 * eps};
    const attack::Pgd<Norm> pgd{.eps = eps, .step = eps / 2, .steps = 5, .start = start};
    const auto moved = in_training_and_evaluation(fgsm);
    CHECK(size_of<Norm>(moved) <= eps * (1 + 1e-5));
    if (start == Start::clean)
      CHECK(size_of<Norm>(moved) == doctest::Approx(double(eps)).epsilon(1e-5));
    CHECK(size_of<Norm>(in_training_and_evaluation(pgd)) ==
          doctest::Approx(double(eps)).epsilon(1e-2));
    auto other = fgsm;
    other.seed = 9;
    if (start == Start::random) CHECK(in_training_and_evaluation(other) != moved);
  }
}

}  // namespace

TEST_CASE(
    "every attack moves images in training by what it moves them in evaluation; its seed counts in "
    "both") {
  sizes<norm::Linf>(px(16));
  sizes<norm::L2>(0.5);
}

TEST_CASE("an attack whose objective writes no radius is refused") {
  Net net(1);
  attack::Workspace<float> work(net, 4);
  const auto x = support::images<float>(4, {3, 8, 8});
  Tensor<float> moved(4, {3, 8, 8});
  const auto y = support::labels(4, 10);
  const StepValues values{.eps = -1};
  const auto call = [&] {
    attack::Pgd<>{}(net, work, x.view(), moved.view(), loss::CrossEntropy{.labels = y.data()},
                    {.values = &values});
  };
  CHECK(support::error_of<UsageError>(call) ==
        "attack: the step's values hold no radius; an objective's set() must call the attack's "
        "set()");
}

TEST_CASE("a plain struct is an objective") {
  const attack::Fgsm<norm::L2> fgsm{};
  static_assert(std::is_same_v<decltype(train::Adversarial{fgsm, Mode::train}),
                               train::Adversarial<attack::Fgsm<norm::L2>>>);
  static_assert(
      std::is_same_v<decltype(train::Trades{attack::Pgd<norm::L2>{}, 3}), train::Trades<norm::L2>>);
  const optim::Sgd deduced({.momentum = 0.9});
  static_assert(std::is_same_v<decltype(deduced), const optim::Sgd<float, cpu>>);
  const data::Images set = images(20);
  Net a(1), b(1);
  optim::Sgd<float> sgd({.momentum = 0.9}), other({.momentum = 0.9});
  train::fit(a, set, train::Natural{}, sgd, options(0.05));
  train::fit(b, set, Scaled{}, other, options(0.05));
  CHECK(support::parameters<float, cpu>(a) == support::parameters<float, cpu>(b));
}

TEST_CASE("a pass of more samples than the batch, or without a term, is refused") {
  const data::Images set = images(16);
  Net net(1);
  optim::Sgd<float> sgd;
  const auto fit = [&](Scaled objective) {
    return [&net, &set, &sgd, objective] { train::fit(net, set, objective, sgd, options(0.05)); };
  };
  CHECK(support::error_of<UsageError>(fit({.rows = {0, 2}})) ==
        "objective: the rows of 'images' must be a part of the batch, found 0 to 2");
  CHECK(support::error_of<StateError>(fit({.trains = false})) ==
        "objective: pass 'images' is trained, but no term reads it");
}

TEST_CASE("one optimizer serves several runs: each starts from a state of zero") {
  const data::Images set = images(20);
  const auto check = [&](auto make) {
    auto shared = make(), fresh = make();
    {
      Net gone(2);
      train::fit(gone, set, train::Natural{}, *shared, options(0.01));
    }
    CHECK(shared->state().size() ==
          fresh->state().size());  // nothing points to the network that is gone
    Net a(1), b(1);
    train::fit(a, set, train::Natural{}, *shared, options(0.01));
    train::fit(b, set, train::Natural{}, *fresh, options(0.01));
    CHECK(support::parameters<float, cpu>(a) == support::parameters<float, cpu>(b));
  };
  check([] { return std::make_unique<optim::Sgd<float>>(optim::SgdOptions{.momentum = 0.9}); });
  check([] { return std::make_unique<optim::Adam<float>>(); });
}

TEST_CASE("a frozen batch norm runs with its running statistics in training and keeps them") {
  const data::Images set = images(16);
  const std::vector<float> odd(8, 0.25f);
  const auto train_with = [&](const std::string& frozen, float mean) {
    Net net(1);
    net.set("bn1.running_mean", std::vector<float>(8, mean));
    optim::Sgd<float> sgd({.groups = {{.names = frozen, .frozen = true}}});
    train::fit(net, set, train::Natural{}, sgd, options(0.01));
    return net;
  };
  const Net frozen = train_with("bn1.*", 0.25f), other = train_with("bn1.*", 0),
            half = train_with("bn1.weight", 0.25f);
  CHECK(frozen.get("bn1.running_mean").values == odd);
  CHECK(frozen.get("bn1.running_var").values == std::vector<float>(8, 1));
  CHECK(frozen.get("layer1.0.bn1.running_mean").values != std::vector<float>(8, 0));
  CHECK(support::parameters<float, cpu>(frozen) !=
        support::parameters<float, cpu>(other));      // the forward reads them
  CHECK(half.get("bn1.running_mean").values != odd);  // its bias is trained: an ordinary batch norm
}

TEST_CASE("gradients of a network with a frozen batch norm are those of its loss") {
  using Double = Network<support::SmallResNet<>, Shape<3, 8, 8>, cpu, precision::Double>;
  Double net(3);
  const int n = 4;
  optim::Sgd<double> sgd({.groups = {{.names = "layer1.0.bn1.*", .frozen = true}}});
  train::Step<double, cpu> step(net, sgd, train::Natural{}, n);
  step.images() = support::images<double>(n, {3, 8, 8});
  step.labels().upload(support::labels(n, 10));
  step.set({});  // lr 0
  std::vector<double> direction(net.parameter_storage());
  const rng::Stream random(2, Purpose::test);
  for (const auto& p : net.parameter_list())
    for (std::size_t i = p.offset; i < p.offset + p.count; ++i) direction[i] = random.normal(i);
  const auto moved = [&](double h) {
    double* p = net.mutable_parameters();
    for (std::size_t i = 0; i < direction.size(); ++i) p[i] += h * direction[i];
  };
  const auto loss_at = [&](double h) {
    moved(h);
    step(n);
    moved(-h);
    return step.value();
  };
  step(n);
  const auto g = step.grads().flat.download();
  double slope = 0;
  for (std::size_t i = 0; i < g.size(); ++i) slope += g[i] * direction[i];
  const double h = 1e-6;
  CHECK(slope == doctest::Approx((loss_at(h) - loss_at(-h)) / (2 * h)).epsilon(1e-5));
}

TEST_CASE("a training on samples without labels is refused before it begins") {
  data::Images unknown = images(20);
  unknown.labels.clear();
  Net net(1);
  CHECK(support::error_of<UsageError>([&] {
          optim::Sgd<float> sgd;
          train::fit(net, unknown, train::Natural{}, sgd, options(0.1));
        }) == "fit: expected samples with labels, found none of sample 0");
}
