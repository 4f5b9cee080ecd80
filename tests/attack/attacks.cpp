// Probe: attacks through one door, in tiles of 1, 8 and all samples, for a Network and for
// AnyNetwork, with equal bits; closed-form worst cases on linear models; bad input.
#include "support/batch.hpp"

#include <doctest/doctest.h>

#include <functional>

#include <rnx/attack.hpp>
#include <rnx/eval.hpp>

using namespace rnx;
using Net = Network<support::SmallResNet<>, Shape<3, 8, 8>>;

namespace {
constexpr int n = 11;
struct Case {
  Net net{4};
  Tensor<float> x = support::images<float>(n, {3, 8, 8});
  std::vector<std::int32_t> y = support::labels(n, 10);

  template <class Loss>
  std::vector<float> gradient(const NetworkBase<float>& model, int tile,
                              const std::vector<Keep>& keep, const Loss& loss,
                              bool values = false) {
    auto trace = model.make_trace(
        {.use = Use::input_gradient, .capacity = tile, .keep = keep, .eval_only = true});
    Tensor<float> dx(n, x.dims());
    Buffer<float> v(n);
    attack::input_gradient(model, trace, std::as_const(x).view(), loss, {}, dx.view(),
                           values ? v.data() : nullptr);
    auto out = dx.download();
    if (values) {
      const auto more = v.download();
      out.insert(out.end(), more.begin(), more.end());
    }
    return out;
  }
  template <class Loss> void equal_bits(const std::vector<Keep>& keep, const Loss& loss) {
    const auto whole = gradient(net, n, keep, loss);
    double norm = 0;
    for (float v : whole) norm += double(v) * v;
    CHECK(norm > 0);
    CHECK(gradient(net, 1, keep, loss) == whole);
    CHECK(gradient(net, 8, keep, loss) == whole);
    const AnyNetwork<float> any(net);
    CHECK(gradient(*any, 1, keep, loss) == whole);
    CHECK(gradient(*any, 8, keep, loss) == whole);
    CHECK(gradient(*any, n, keep, loss) == whole);
  }
};
/// An attack that does nothing, without a seed.
struct Seedless {
  using norm = rnx::norm::Linf;
  Rational eps = px(8);
  void set(StepValues& v) const { v.eps = eps; }
  void operator()(const NetworkBase<float>&, attack::Workspace<float>&, View<const float>,
                  View<float>, const loss::CrossEntropy&, Context, std::uint64_t) const {}
};
}  // namespace

TEST_CASE(
    "one door: cross-entropy, feature matching and KL to a teacher give equal bits in every tile") {
  Case c;
  c.equal_bits({}, loss::CrossEntropy{.labels = c.y.data()});
  CHECK(c.gradient(c.net, 8, {}, loss::CrossEntropy{.labels = c.y.data()}, true) ==
        c.gradient(c.net, n, {}, loss::CrossEntropy{.labels = c.y.data()}, true));

  Net teacher(9);
  auto trace = teacher.make_trace({.capacity = n, .keep = {Keep::tap<Penultimate>()}});
  teacher.forward(trace, std::as_const(c.x).view(), {});
  Tensor<float> logits(n, {10, 1, 1}), features(n, {16, 1, 1});
  logits.upload(to_host(trace.logits()));
  features.upload(to_host(teacher.tap<Penultimate>(trace).value));
  c.equal_bits({}, loss::Kl{std::as_const(logits).view()});
  const loss::L2 distance{features.view(), loss::tapped<Penultimate>()};
  const std::vector<Keep> keep{Keep::tap<Penultimate>().seeded()};
  c.equal_bits(keep, distance);

  // a sum is concurrent where its parts are, and has room for scaled values
  const auto sum = loss::sum(loss::term(0.3, loss::CrossEntropy{.labels = c.y.data()}),
                             loss::term(2, distance), loss::term(-1, loss::Kl{logits.view()}));
  static_assert(
      loss::concurrent<decltype(sum)> &&
      !loss::concurrent<
          loss::WeightedSum<std::function<void(Trace<float, cpu>&, const loss::Call<float>&)>>>);
  c.equal_bits(keep, sum);
  const auto whole = c.gradient(c.net, n, keep, sum, true);
  CHECK(c.gradient(c.net, 2, keep, sum, true) == whole);
  const auto parts = [&](const auto& loss) { return c.gradient(c.net, n, keep, loss, true); };
  const auto ce = parts(loss::CrossEntropy{.labels = c.y.data()}), far = parts(distance),
             kl = parts(loss::Kl{logits.view()});
  for (std::size_t i = whole.size() - n; i < whole.size(); ++i)
    CHECK(whole[i] == doctest::Approx(0.3 * ce[i] + 2 * far[i] - kl[i]).epsilon(1e-5));
}

TEST_CASE("FGSM and PGD reach the closed-form worst case of a linear model") {
  // margin w.x: the loss grows along sign(w) (Linf) or w / |w| (L2)
  Network<Linear<2, false>, Shape<6>> net(0);
  const std::vector<float> w{0.5f, -1, 2, 0.25f, -0.75f, 1};
  std::vector<float> both(12);
  for (int i = 0; i < 6; ++i) {
    both[i] = w[i];
    both[6 + i] = -w[i];
  }
  net.set("weight", both);
  const auto x = Tensor<float>::from_nchw(1, {6, 1, 1}, std::vector<float>(6, 0.5f));
  Tensor<float> a(1, {6, 1, 1});
  const std::int32_t y[] = {0};
  const loss::CrossEntropy ce{.labels = y};
  attack::Workspace<float> work(net, 1);
  const auto margin = [&] {
    double m = 0;
    for (int i = 0; i < 6; ++i) m += w[i] * (a.data()[i] - 0.5);
    return m;
  };
  double l1 = 0, l2 = 0;
  for (float v : w) {
    l1 += std::abs(v);
    l2 += v * v;
  }
  attack::Fgsm<>{.eps = 0.1}(net, work, x.view(), a.view(), ce);
  CHECK(margin() == doctest::Approx(-0.1 * l1).epsilon(1e-5));
  for (auto start : {attack::Start::clean, attack::Start::random}) {
    attack::Pgd<>{.eps = 0.1, .step = 0.03, .steps = 10, .start = start}(net, work, x.view(),
                                                                         a.view(), ce);
    CHECK(margin() == doctest::Approx(-0.1 * l1).epsilon(1e-5));
    attack::Pgd<norm::L2>{.eps = 0.2, .step = 0.1, .steps = 30, .start = start}(net, work, x.view(),
                                                                                a.view(), ce);
    CHECK(margin() == doctest::Approx(-0.2 * std::sqrt(l2)).epsilon(1e-5));
  }
}

TEST_CASE("the worst case of a linear model where the box is active, in closed form") {
  Network<Linear<2, false>, Shape<6>> net(0);
  const std::vector<float> w{0.5f, -1, 2, 0.25f, -0.75f, 1},
      at{0.5f, 0.97f, 0.02f, 0.5f, 0.5f, 0.5f};
  std::vector<float> both(12);
  for (int i = 0; i < 6; ++i) {
    both[i] = w[i];
    both[6 + i] = -w[i];
  }
  net.set("weight", both);
  const auto x = Tensor<float>::from_nchw(1, {6, 1, 1}, at);
  Tensor<float> a(1, {6, 1, 1});
  const std::int32_t y[] = {0};
  const loss::CrossEntropy ce{.labels = y};
  attack::Workspace<float> work(net, 1);
  const auto margin = [&] {
    double m = 0;
    for (int i = 0; i < 6; ++i) m += w[i] * (double(a.data()[i]) - at[i]);
    return m;
  };
  // pixel i moves against w_i and has `room` until 0 or 1
  double room[6], linf = 0;
  for (int i = 0; i < 6; ++i) {
    room[i] = w[i] > 0 ? at[i] : 1.0 - at[i];
    linf -= std::abs(w[i]) * std::min(0.1, room[i]);
  }
  attack::Fgsm<>{.eps = 0.1}(net, work, x.view(), a.view(), ce);
  CHECK(margin() == doctest::Approx(linf).epsilon(1e-5));

  // L2: |delta_i| = min(t |w_i|, room_i) with t such that the length is eps
  const double eps = 0.2;
  const auto moved = [&](double t, int i) { return std::min(t * std::abs(w[i]), room[i]); };
  double low = 0, high = 10;
  for (int k = 0; k < 100; ++k) {
    const double t = (low + high) / 2;
    double squares = 0;
    for (int i = 0; i < 6; ++i) squares += moved(t, i) * moved(t, i);
    (squares < eps * eps ? low : high) = t;
  }
  double l2 = 0, free = 0;
  for (int i = 0; i < 6; ++i) {
    l2 -= std::abs(w[i]) * moved(low, i);
    free += double(w[i]) * w[i];
  }
  CHECK(l2 > -0.75 * eps *
                 std::sqrt(free));  // the box takes a quarter of what the ball alone would allow
  attack::Pgd<norm::L2>{.eps = eps, .step = 1e-4, .steps = 4000, .start = attack::Start::clean}(
      net, work, x.view(), a.view(), ce);
  attack::verify<norm::L2, float>(at, a.download(), 1, eps);
  CHECK(margin() == doctest::Approx(l2).epsilon(2e-3));
}

TEST_CASE("robust accuracy of a linear model is the one that its margins say") {
  Network<Linear<2>, Shape<6>> net(0);
  const std::vector<float> w{0.5f, -1, 2, 0.25f, -0.75f, 1};
  std::vector<float> both(12);
  for (int i = 0; i < 6; ++i) {
    both[i] = w[i];
    both[6 + i] = -w[i];
  }
  net.set("weight", both);
  net.set("bias", std::vector<float>{-1, 1});
  const int count = 200;
  const double eps = px(16);
  data::Images images{
      .n = count, .dims = {6, 1, 1}, .classes = 2, .pixels = {}, .labels = {}, .class_names = {}};
  std::vector<bool> robust;
  const rng::Stream random(3, Purpose::test);
  int right = 0;
  for (int n = 0; n < count; ++n) {
    double margin = -1, worst = 0;
    const int label = int(random.bits(7 * n + 6) & 1), sign = label ? -1 : 1;
    for (int i = 0; i < 6; ++i) {
      images.pixels.push_back(std::uint8_t(random.bits(7 * n + i)));
      const double v = images.pixels.back() / 255.0, room = sign * w[i] > 0 ? v : 1 - v;
      margin += w[i] * v;
      worst += std::abs(w[i]) * std::min(eps, room);
    }
    images.labels.push_back(label);
    right += sign * margin > 0;
    robust.push_back(sign * margin - worst > 0);
    REQUIRE(std::abs(sign * margin - worst) > 1e-5);
  }
  const int expected = int(std::count(robust.begin(), robust.end(), true));
  CHECK((expected > 20 && expected < right - 20));
  const auto check = [&](const auto& attack, const eval::Options& o) {
    const eval::Accuracy found = eval::accuracy(net, images, attack, o);
    CHECK(found.clean() == double(right) / count);
    for (int n = 0; n < count; ++n) CHECK(found.samples[n].robust == robust[n]);
  };
  check(attack::Fgsm<>{.eps = px(16)}, {.batch = 64});
  check(attack::Pgd<>{.eps = px(16), .step = px(4), .steps = 10},
        {.batch = 7, .restarts = 2, .seed = 5});
}

TEST_CASE("random starts: inside the ball, keyed by sample and draw, the same in any batch") {
  Case c;
  attack::Workspace<float> work(c.net, n, 4);
  const loss::CrossEntropy ce{.labels = c.y.data()};
  Tensor<float> a(n, c.x.dims()), b(n, c.x.dims());
  const attack::Pgd<> start_only{.steps = 0, .seed = 5};
  start_only(c.net, work, std::as_const(c.x).view(), a.view(), ce);
  attack::verify<norm::Linf, float>(c.x.download(), a.download(), n, px(8));
  start_only(c.net, work, std::as_const(c.x).view(), b.view(), ce, {}, 1);
  CHECK(a.download() != b.download());
  // samples 5.. alone
  start_only(c.net, work, std::as_const(c.x).view().samples(5, 3), b.view().samples(0, 3), ce,
             {.first_sample = 5});
  CHECK(std::vector<float>(b.data(), b.data() + 3 * 192) ==
        std::vector<float>(a.data() + 5 * 192, a.data() + 8 * 192));
  attack::Pgd<norm::L2>{.eps = 0.5, .step = 0.1, .steps = 3}(c.net, work, std::as_const(c.x).view(),
                                                             b.view(), ce);
  attack::verify<norm::L2, float>(c.x.download(), b.download(), n, 0.5);
  CHECK_THROWS_AS((attack::verify<norm::Linf, float>(c.x.download(), b.download(), n, 0.001)),
                  NumericError);
}

TEST_CASE("more steps hurt more, eps = 0 changes nothing; accuracy counts per sample") {
  Case c;
  data::Images images{.n = n,
                      .dims = {3, 8, 8},
                      .classes = 10,
                      .pixels = std::vector<std::uint8_t>(n * 192),
                      .labels = c.y,
                      .class_names = {}};
  for (std::size_t i = 0; i < images.pixels.size(); ++i)
    images.pixels[i] = std::uint8_t(rng::Stream(3, Purpose::test).bits(i) >> 24);
  const attack::Pgd<> none{.eps = 0, .step = 0, .steps = 3}, strong{.eps = px(16), .steps = 20};
  const auto clean = eval::accuracy(c.net, images, none, {.batch = 4});
  CHECK(clean.clean() == clean.robust());
  const auto attacked = eval::accuracy(c.net, images, strong, {.batch = 4, .restarts = 2});
  CHECK(attacked.clean() == clean.clean());
  for (int i = 0; i < n; ++i)
    CHECK(attacked.samples[i].robust ==
          (attacked.samples[i].clean == c.y[i] && attacked.samples[i].attacked == c.y[i]));
  CHECK(attacked.samples.size() == n);
  const auto again = eval::accuracy(c.net, images, strong, {.batch = 11, .tile = 3, .restarts = 2});
  for (int i = 0; i < n; ++i)
    CHECK(again.samples[i].attacked ==
          attacked.samples[i].attacked);  // batches and tiles do not matter
}

TEST_CASE(
    "an attack in a training trace has the bits of one in a trace of its own; gaussian starts are "
    "small") {
  Case c;
  const loss::CrossEntropy ce{.labels = c.y.data()};
  Tensor<float> a(n, c.x.dims()), b(n, c.x.dims());
  auto training = c.net.make_trace({.use = Use::train, .capacity = n});
  for (const Mode mode : {Mode::eval, Mode::train}) {
    attack::Workspace<float> own(c.net, n, 0, {}, mode), shared(c.net, training, mode);
    const attack::Pgd<> pgd{.steps = 3, .seed = 7};
    pgd(c.net, own, std::as_const(c.x).view(), a.view(), ce, {.mode = mode});
    pgd(c.net, shared, std::as_const(c.x).view(), b.view(), ce, {.mode = mode});
    CHECK(a.download() == b.download());
    CHECK(shared.bytes() == 0);
  }
  attack::Workspace<float> work(c.net, n);
  attack::Pgd<>{.steps = 0, .start = attack::Start::gaussian, .seed = 5}(
      c.net, work, std::as_const(c.x).view(), a.view(), ce);
  double squares = 0;
  for (std::size_t i = 0; i < c.x.size(); ++i) squares += std::pow(a.data()[i] - c.x.data()[i], 2);
  CHECK(std::sqrt(squares / double(c.x.size())) == doctest::Approx(1e-3).epsilon(0.1));
}

TEST_CASE("bad options are refused with one sentence") {
  Case c;
  attack::Workspace<float> work(c.net, n);
  Tensor<float> a(n, c.x.dims());
  const loss::CrossEntropy ce{.labels = c.y.data()};
  const auto run = [&](attack::Pgd<> p) {
    p(c.net, work, std::as_const(c.x).view(), a.view(), ce);
  };
  CHECK_THROWS_WITH_AS(run({.eps = -0.1}), "attack: eps must not be negative, found -0.100000",
                       UsageError);
  CHECK_THROWS_WITH_AS(
      run({.eps = 1.5}),
      "attack: eps in Linf must be at most 1 (images lie in [0, 1]), found 1.500000", UsageError);
  CHECK_THROWS_AS((attack::Fgsm<>{.eps = -1}(c.net, work, std::as_const(c.x).view(), a.view(), ce)),
                  UsageError);
  CHECK_THROWS_WITH_AS(run({.step = -1}), "attack: the step must not be negative, found -1.000000",
                       UsageError);
  CHECK_THROWS_AS(run({.eps = std::nan("")}), UsageError);
  attack::Workspace<float> small(c.net, 2);
  CHECK_THROWS_AS(attack::Pgd<>{}(c.net, small, std::as_const(c.x).view(), a.view(), ce),
                  ShapeError);
  auto trace = c.net.make_trace({.use = Use::input_gradient, .capacity = 4, .eval_only = true});
  CHECK_THROWS_AS(attack::input_gradient(c.net, trace, std::as_const(c.x).view(), ce,
                                         {.mode = Mode::train}, a.view()),
                  StateError);
  const data::Images none{
      .n = 0, .dims = {3, 8, 8}, .classes = 10, .pixels = {}, .labels = {}, .class_names = {}};
  CHECK_THROWS_AS(eval::accuracy(c.net, none, {.tile = -1}), UsageError);
  CHECK_THROWS_AS(eval::accuracy(c.net, none, {.examples = -1}), UsageError);
  const Seedless seedless;
  CHECK(eval::accuracy(c.net, none, seedless, {.restarts = 2}).samples.empty());
  CHECK_THROWS_WITH_AS(eval::accuracy(c.net, none, seedless, {.seed = 5}),
                       "eval: this attack has no seed, but the options' is 5", UsageError);
  CHECK_THROWS_AS(Rational::parse("8/x", "--eps"), UsageError);
  CHECK(Rational::parse("8/255").value() == 8.0 / 255);
}

TEST_CASE("a stop ends an attack at its next tile, and an evaluation with it") {
  Case c;
  std::atomic<bool> stop{false};
  int calls = 0;
  const loss::CrossEntropy ce{.labels = c.y.data()};
  const auto stopping = [&](Trace<float, cpu>& trace, const loss::Call<float>& call) {
    ce(trace, call);
    if (++calls == 5) stop = true;
  };
  attack::Workspace<float> work(c.net, n, 4);  // three tiles a step
  Tensor<float> a(n, c.x.dims());
  const auto x = std::as_const(c.x).view();
  const attack::Pgd<> endless{.steps = 1 << 30};
  CHECK_THROWS_AS(endless(c.net, work, x, a.view(), stopping, {.stop = &stop}), Stopped);
  CHECK(calls == 5);

  const data::Images images{.n = n,
                            .dims = {3, 8, 8},
                            .classes = 10,
                            .pixels = std::vector<std::uint8_t>(n * 192),
                            .labels = c.y,
                            .class_names = {}};
  CHECK_THROWS_AS(eval::accuracy(c.net, images, endless, {.stop = &stop}), Stopped);
  stop = false;
  const auto at_first_batch = [&](std::size_t, std::size_t) { stop = true; };
  const eval::Options options{.batch = 4, .progress = at_first_batch, .stop = &stop};
  CHECK_THROWS_AS(eval::accuracy(c.net, images, options), Stopped);
  CHECK(Stopped("").exit_code() == 75);
}

TEST_CASE("an attack does not write over the images that it starts from") {
  Case c;
  attack::Workspace<float> work(c.net, n);
  const auto x = std::as_const(c.x).view();
  const loss::CrossEntropy ce{.labels = c.y.data()};
  CHECK_THROWS_AS(attack::Pgd<>{}(c.net, work, x, c.x.view(), ce), UsageError);
  const auto first = std::as_const(c.x).view().samples(0, 2),
             second = std::as_const(c.x).view().samples(1, 2);
  CHECK(overlap(first, second));
  CHECK(!overlap(first, x.samples(2, 1)));
  CHECK(!overlap(View<const float>{}, x));
  CHECK_THROWS_AS(attack::input_gradient(c.net, work.trace, x, ce, {}, c.x.view()), UsageError);
}
