// Losses: PyTorch's values, gradient checks, sums, tiles, bad input, and a device whose memory the
// host cannot read.
#include "support/error_of.hpp"
#include "rnx/loss.hpp"

#include <doctest/doctest.h>

#include "golden/golden.hpp"
#include "rnx/kernels.hpp"
#include "rnx/kernels/loopback/definitions.hpp"
#include "rnx/network.hpp"

namespace {

using namespace rnx;

struct Last {};
template <class Device>
using Net = Network<Sequential<Named<"a", Linear<8>>, Named<"act", Tap<Last, act::HardSwish>>,
                               Named<"fc", Linear<7>>>,
                    Shape<7>, Device, precision::Double>;
template <class Device>
using Plain = Network<Sequential<Named<"fc", Linear<7>>>, Shape<7>, Device, precision::Double>;

constexpr int n = 5, classes = 7;

template <class Device = cpu>
Tensor<double, Device> tensor(const std::vector<double>& v, Dims d = {classes, 1, 1}) {
  return Tensor<double, Device>::from_nchw(int(v.size() / d.count()), d, v);
}
template <class Device = cpu>
Tensor<double, Device> noise(const std::string& name, Dims d = {classes, 1, 1}, int samples = n) {
  auto v = golden::u_values(name, samples * d.count());
  for (double& x : v) x = 4 * x - 2;
  return tensor<Device>(v, d);
}
std::vector<double> mine(View<double, cpu> v) { return to_host(v); }

/// A network whose logits are its input.
template <class Device = cpu> Plain<Device> identity() {
  Plain<Device> net;
  std::vector<double> eye(classes * classes, 0.0);
  for (int i = 0; i < classes; ++i) eye[i * (classes + 1)] = 1;
  net.set("fc.weight", eye);
  net.set("fc.bias", std::vector<double>(classes, 0.0));
  return net;
}

/// Everything that the checks of a loss need. The trace keeps two features with seeds.
struct Setup {
  Net<cpu> net{3};
  Tensor<double> x = noise("x"), teacher = noise("t"), feature = noise("f", {8, 1, 1});
  loss::Labels<> labels{std::vector<std::int32_t>{1, 0, 6, 3, 2}, classes};
  loss::Values<double> values{n};
  Trace<double> trace(int capacity, Use use = Use::train) const {
    const bool seed = use != Use::infer;
    return net.make_trace({.use = use,
                           .capacity = capacity,
                           .keep = {Keep::at("a").seeded(seed), Keep::tap<Last>().seeded(seed)}});
  }
};

using support::error_of;

/// Backward through the loss and the network against a difference quotient, along one direction in
/// x and the parameters together. Returns the gradient in x.
template <class L> Tensor<double> check_derivative(Setup& s, Trace<double>& trace, const L& l) {
  static_assert(loss::PerSample<L, double, cpu>);
  Tensor<double> dx(n, {classes, 1, 1});
  Grads<double> grads = s.net.make_grads();
  s.net.forward(trace, s.x.view(), {});
  std::fill_n(trace.logits_gradient().data, n * classes, 77.0);  // assigned, whatever was there
  loss::mean(l, trace, s.values);
  s.net.backward(trace, dx.view(), &grads);

  const auto value_at = [&](double t) {
    Net<cpu> moved = s.net;
    Tensor<double> x = s.x;
    for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] += t * (golden::u("dx", i) - 0.5);
    for (std::size_t i = 0; i < moved.parameter_storage(); ++i)
      moved.mutable_parameters()[i] += t * (golden::u("dp", i) - 0.5);
    auto infer = s.trace(n, Use::infer);
    moved.forward(infer, x.view(), {});
    return loss::mean(l, infer, s.values);
  };
  double slope = 0;
  for (std::size_t i = 0; i < dx.size(); ++i) slope += dx.data()[i] * (golden::u("dx", i) - 0.5);
  for (std::size_t i = 0; i < grads.flat.size(); ++i)
    slope += grads.flat.data()[i] * (golden::u("dp", i) - 0.5);
  const double h = 1e-5, numeric = (value_at(h) - value_at(-h)) / (2 * h);
  CHECK(std::abs(slope) > 1e-3);
  CHECK(std::abs(slope - numeric) < 1e-6 * std::max(1.0, std::abs(slope)));
  return dx;
}

/// The batch in tiles of two has the bits of the whole batch, whose trace and gradient in x are
/// given.
template <class L>
void check_tiles(Setup& s, Trace<double>& trace, const L& l, const Tensor<double>& dx) {
  loss::mean(l, trace, s.values);  // the whole batch's values, at the parameters of `trace`
  const auto whole = s.values.host(n);
  for (int first = 0; first < n; first += 2) {
    const int count = std::min(2, n - first);
    auto tile = s.trace(2);
    Tensor<double> dx_tile(count, {classes, 1, 1});
    s.net.forward(tile, s.x.view().samples(first, count), {});
    l(tile, s.values.call(count, loss::batchmean(n), first));
    const auto values = s.values.host(count, first);
    CHECK(std::memcmp(values.data(), whole.data() + first, count * sizeof(double)) == 0);
    s.net.backward(tile, dx_tile.view(), nullptr);
    CHECK(std::memcmp(dx_tile.data(), dx.data() + first * classes,
                      dx_tile.size() * sizeof(double)) == 0);
  }
}

}  // namespace

TEST_CASE("values and gradients are PyTorch's") {
  const golden::json all = golden::load("losses");
  const auto s = tensor(golden::numbers(all["s"])), t = tensor(golden::numbers(all["t"]));
  const loss::Labels<> labels(all["labels"].get<std::vector<std::int32_t>>(), classes);
  const auto net = identity();
  auto trace = net.make_trace({.use = Use::input_gradient, .capacity = n});
  loss::Values<double> values(n);
  net.forward(trace, s.view(), {});
  int checked = 0;
  const auto check = [&](const std::string& name, const auto& l,
                         double weight = loss::batchmean(n)) {
    CAPTURE(name);
    const golden::json& g = all.at(name);
    l(trace, values.call(n, weight));
    CHECK(golden::difference(values.host(n), golden::numbers(g["per_sample"])) < 1e-12);
    CHECK(golden::difference(mine(trace.logits_gradient()), golden::numbers(g["grad"])) < 1e-12);
    CHECK(std::abs(values.mean(n) * n * weight - g["value"].get<double>()) < 1e-12);
    if (weight == loss::batchmean(n)) CHECK(loss::mean(l, trace, values) == values.mean(n));
    ++checked;
  };
  check("cross_entropy", loss::CrossEntropy{labels.data()});
  check("label_smoothing_0.1", loss::CrossEntropy{labels.data(), 0.1});
  for (const double temperature : {1.0, 4.0})
    for (const auto direction :
         {loss::Direction::teacher_to_student, loss::Direction::student_to_teacher}) {
      const loss::Kl kl{t.view(), temperature, direction};
      const bool forward = direction == loss::Direction::teacher_to_student;
      const std::string name =
          std::string(forward ? "kl_t_s" : "kl_s_t") + (temperature == 1 ? "_T1" : "_T4");
      check(name + "_batchmean", kl);
      check(name + "_mean", kl, loss::elementmean(n, classes));
    }
  check("kl_floor_T4", loss::Kl{t.view(), 4.0, loss::Direction::teacher_to_student, 1e-2});
  check("mse_mean", loss::Mse{t.view()});
  check("cosine", loss::Cosine{t.view(), loss::logits()});
  check("l2", loss::L2{t.view()});
  check("relative_l2", loss::RelativeL2{t.view()});
  CHECK(checked + 3 == int(all.size()));
}

TEST_CASE(
    "gradients are derivatives, for every loss and every place it reads; tiles give the same "
    "bits") {
  Setup s;
  const auto check = [&](const char* name, const auto& l) {
    CAPTURE(name);
    auto trace = s.trace(n);
    const Tensor<double> dx = check_derivative(s, trace, l);
    check_tiles(s, trace, l, dx);
  };
  const loss::CrossEntropy ce{s.labels.data(), 0.1};
  const loss::Kl kl{s.teacher.view(), 3.0};
  check("cross-entropy", ce);
  check("forward KL", kl);
  check("reverse KL", loss::Kl{s.teacher.view(), 2.0, loss::Direction::student_to_teacher});
  check("KL with a floor",
        loss::Kl{s.teacher.view(), 2.0, loss::Direction::teacher_to_student, 0.1});
  check("mean squares of logits", loss::Mse{s.teacher.view()});
  check("mean squares", loss::Mse{s.feature.view(), loss::at("a")});
  check("cosine", loss::Cosine{s.feature.view(), loss::tapped<Last>()});
  check("l2", loss::L2{s.feature.view(), loss::tapped<Last>()});
  check("relative l2", loss::RelativeL2{s.feature.view(), loss::at("a")});
  check("sum", loss::sum(loss::term(0.5, ce), loss::term(0.25, kl),
                         loss::term(-2, loss::Cosine{s.feature.view(), loss::at("a")})));
  const auto inner = loss::sum(loss::term(2, kl), loss::term(1, loss::Mse{s.teacher.view()}));
  check(
      "sum that starts at a feature",
      loss::sum(loss::term(3, loss::L2{s.feature.view(), loss::at("a")}), loss::term(0.5, inner)));
  check("a function", std::function<void(Trace<double>&, const loss::Call<double>&)>(ce));
}

TEST_CASE("features with pixels: maps, attention maps, elastic networks") {
  using Stage = Repeat<3, Conv<4, 3>, Conv<4, 3>, 1>;
  using Spec = Sequential<Named<"conv", Conv<4, 3, width::Chosen>>, Named<"rep", Stage>,
                          Named<"fc", Linear<7>>>;
  using Maps = Network<Spec, Shape<2, 3, 3>, cpu, precision::Double>;
  const Maps net(5);
  const auto x = noise("x", {2, 3, 3}), map = noise("f", {4, 3, 3}),
             attention = noise("g", {1, 3, 3});
  loss::Values<double> values(n);
  const auto check = [&](const auto& l, bool maps) {
    const Keep kept = Keep::at("conv").seeded();
    auto trace = net.make_trace(
        {.use = Use::input_gradient, .capacity = n, .keep = {maps ? kept.maps() : kept}});
    Tensor<double> dx(n, {2, 3, 3}), unused = dx;
    double slope = 0, ends[2];
    for (int k = -1; k <= 1; ++k) {
      Tensor<double> moved = x;
      for (std::size_t i = 0; i < x.size(); ++i)
        moved.data()[i] += k * 1e-5 * (golden::u("dx", i) - 0.5);
      net.forward(trace, moved.view(), {});
      const double value = loss::mean(l, trace, values);
      net.backward(trace, (k ? unused : dx).view(), nullptr);
      if (k) ends[k > 0] = value;
    }
    for (std::size_t i = 0; i < dx.size(); ++i) slope += dx.data()[i] * (golden::u("dx", i) - 0.5);
    CHECK(std::abs(slope) > 1e-3);
    CHECK(std::abs(slope - (ends[1] - ends[0]) / 2e-5) < 1e-6);
  };
  check(loss::Mse{map.view(), loss::at("conv")}, false);
  check(loss::Cosine{map.view(), loss::at("conv")}, false);
  check(loss::L2{attention.view(), loss::at("conv")}, true);

  auto trace = net.make_trace({.use = Use::train,
                               .capacity = n,
                               .keep = {Keep::at("conv").seeded(), Keep::at("rep.1").seeded()}});
  const Subnet narrow = net.make_subnet({{"conv", "width", 3}}),
               shallow = net.make_subnet({{"rep", "depth", 1}});
  const auto error = [&]<class E>(E, const Subnet& subnet, const auto& target, const char* path) {
    net.forward(trace, x.view(), {.subnet = &subnet});
    return error_of<E>([&] { loss::Mse{target.view(), loss::at(path)}(trace, {}); });
  };
  const auto three = noise("f", {3, 3, 3});
  CHECK(error(ShapeError(""), narrow, three, "conv") ==
        "loss distance: a map of several pixels must have every channel active");
  CHECK(error(StateError(""), shallow, map, "rep.1") ==
        "loss distance: 'rep.1' did not run in this pass");
}

TEST_CASE("a sum is the sum; calls may add") {
  Setup s;
  auto trace = s.trace(n, Use::input_gradient);
  s.net.forward(trace, s.x.view(), {});
  const loss::CrossEntropy ce{s.labels.data()};
  const loss::Kl kl{s.teacher.view()};
  const double a = loss::mean(ce, trace, s.values);
  const auto ga = mine(trace.logits_gradient());
  const double b = loss::mean(kl, trace, s.values);
  const auto gb = mine(trace.logits_gradient());
  const double both =
      loss::mean(loss::sum(loss::term(0.5, ce), loss::term(0.25, loss::sum(loss::term(2, kl)))),
                 trace, s.values);
  CHECK(both == doctest::Approx(0.5 * a + 0.5 * b).epsilon(1e-14));
  auto expected = ga;
  for (std::size_t i = 0; i < ga.size(); ++i) expected[i] = 0.5 * (ga[i] + gb[i]);
  CHECK(golden::difference(mine(trace.logits_gradient()), expected) < 1e-15);

  ce(trace, s.values.call(n, loss::batchmean(n)));
  kl(trace, s.values.call(n, loss::batchmean(n), 0, true));
  for (std::size_t i = 0; i < ga.size(); ++i) expected[i] = ga[i] + gb[i];
  CHECK(golden::difference(mine(trace.logits_gradient()), expected) < 1e-15);
  CHECK(s.values.mean(n) == doctest::Approx(a + b).epsilon(1e-14));
}

TEST_CASE("bad input") {
  Setup s;
  auto trace = s.trace(n);
  const loss::Call<double> call{};
  CHECK(error_of<StateError>([&] { loss::CrossEntropy{s.labels.data()}(trace, call); }) ==
        "loss: the trace has run no forward");
  CHECK_THROWS_AS(loss::mean(loss::CrossEntropy{s.labels.data()}, trace, s.values), StateError);
  s.net.forward(trace, s.x.view(), {});
  CHECK(error_of<UsageError>([&] { loss::CrossEntropy{}(trace, call); }) ==
        "loss cross-entropy: no labels were given");
  for (const double bad : {-0.1, 1.0, std::nan("")})
    CHECK_THROWS_AS((loss::CrossEntropy{s.labels.data(), bad}(trace, call)), UsageError);
  for (const double bad : {0.0, -1.0, std::nan("")})
    CHECK_THROWS_AS((loss::Kl{s.teacher.view(), bad}(trace, call)), UsageError);
  const auto forward = loss::Direction::teacher_to_student;
  for (const double bad : {-0.1, 1.0, std::nan("")})
    CHECK_THROWS_AS((loss::Kl{s.teacher.view(), 1.0, forward, bad}(trace, call)), UsageError);
  CHECK(error_of<UsageError>([&] {
          loss::Kl{s.teacher.view(), 1.0, loss::Direction::student_to_teacher, 1e-6}(trace, call);
        }).starts_with("loss KL: a floor is in [0, 1), and of teacher_to_student alone"));
  CHECK(error_of<ShapeError>([&] { loss::Kl<double>{}(trace, call); }) ==
        "loss KL: expected a target of (7, 1, 1) per sample, found none");
  CHECK(error_of<ShapeError>([&] {
          loss::Mse{s.teacher.view(), loss::at("a")}(trace, call);
        }) == "loss distance: expected a target of (8, 1, 1) per sample, found (7, 1, 1)");
  CHECK(error_of<ShapeError>([&] { loss::Mse{s.teacher.view()}(trace, {.first = 1}); }) ==
        "loss distance: the target has 5 samples, the trace holds samples 1 to 5");
  CHECK_THROWS_AS((loss::Mse{s.teacher.view()}(trace, {.first = -1})), ShapeError);
  CHECK_THROWS_AS((loss::Mse{s.teacher.view(), loss::at("fc")}(trace, call)), NameError);
  auto seedless = s.net.make_trace({.use = Use::train, .capacity = n, .keep = {Keep::at("a")}});
  s.net.forward(seedless, s.x.view(), {});
  CHECK(error_of<UsageError>([&] {
          loss::Mse{s.feature.view(), loss::at("a")}(seedless, call);
        }) == "loss distance: 'a' is kept without a seed; keep it with Keep::seeded()");
  CHECK_THROWS_AS(loss::term(std::nan(""), loss::CrossEntropy{}), UsageError);

  Buffer<double> values(n);
  CHECK_THROWS_AS(
      (loss::CrossEntropy{s.labels.data()}(trace, {.values = values.data(), .scale = 2})),
      UsageError);
  CHECK_THROWS_AS(loss::Values<double>(0), UsageError);
  CHECK_THROWS_AS(s.values.call(n + 1), ShapeError);
  CHECK_THROWS_AS(s.values.host(n + 1), ShapeError);

  CHECK(error_of<UsageError>([&] {
          loss::Labels<>(std::vector<std::int32_t>{1, 7}, 7);
        }) == "labels: label 1 is 7, expected 0 to 6");
  CHECK(error_of<UsageError>([&] { s.labels.upload(std::vector<std::int32_t>{-1}); }) ==
        "labels: label 0 is -1, expected 0 to 6");
  CHECK_THROWS_AS(s.labels.upload(std::vector<std::int32_t>(n + 1, 0)), ShapeError);
  CHECK_THROWS_AS(loss::Labels<>(0, 7), UsageError);
  CHECK_THROWS_AS(loss::Labels<>(3, 0), UsageError);

  s.x.data()[2 * classes] = std::nan("");
  s.net.forward(trace, s.x.view(), {});
  const std::string found = error_of<NumericError>(
      [&] { loss::mean(loss::CrossEntropy{s.labels.data()}, trace, s.values); });
  CHECK(found.starts_with("loss: the value of sample 2 is "));
}

TEST_CASE("a device whose memory the host cannot read gives the same bits") {
  const auto objective = []<class Device>(Device) {
    const auto net = identity<Device>();
    const auto s = noise<Device>("s"), t = noise<Device>("t");
    const loss::Labels<Device> labels(std::vector<std::int32_t>{1, 0, 6, 3, 2}, classes);
    auto trace = net.make_trace(
        {.use = Use::input_gradient, .capacity = n, .keep = {Keep::at("fc").seeded()}});
    loss::Values<double, Device> values(n);
    net.forward(trace, s.view(), {});
    const loss::RelativeL2 distance{t.view(), loss::at("fc")};
    const loss::CrossEntropy ce{labels.data()};
    loss::mean(
        loss::sum(loss::term(0.5, distance), loss::term(2, ce), loss::term(1, loss::Kl{t.view()})),
        trace, values);
    Tensor<double, Device> dx(n, {classes, 1, 1});
    net.backward(trace, dx.view(), nullptr);
    auto result = values.host(n);
    for (const double v : dx.download()) result.push_back(v);
    return result;
  };
  CHECK(objective(cpu{}) == objective(loopback{}));
}
