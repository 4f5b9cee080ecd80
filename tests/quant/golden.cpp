// Quantizers against PyTorch in double (golden/quantizers.py): values, gradients of the surrogates,
// gradients of what maps learn. And the same bits with any number of threads.
#include "golden/golden.hpp"
#include "kernels/support.hpp"
#include "rnx/quant.hpp"

namespace {

using namespace rnx;
using geometry::Map;
using Values = std::vector<double>;

/// Largest error over the largest expected value.
double error(const Values& found, const golden::json& expected) {
  double size = 0, worst = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double v = expected.at(i), d = std::abs(found[i] - v);
    worst = d <= worst ? worst : std::isnan(d) ? 1e300 : d;
    size = std::max(size, std::abs(v));
  }
  CHECK(size > 1e-3);
  return worst / size;
}
constexpr double tolerance = 1e-9;

constexpr geometry::Weights filters(int o, int i, int kh, int kw) {
  return {.groups = 1,
          .o = o,
          .i = i,
          .kh = kh,
          .kw = kw,
          .so = long(i) * kh * kw,
          .si = long(kh) * kw,
          .sh = kw,
          .sw = 1,
          .sg = long(o) * i * kh * kw};
}

/// Forward and backward of a weight map.
template <class W, class T> struct WeightRun {
  std::vector<T> bases, scales, dtheta, dlearned;
  WeightRun(const geometry::Weights& g, const std::vector<T>& theta, const std::vector<T>& dsum,
            const std::vector<T>& learned)
      : bases(g.count() * W::bases),
        scales(std::size_t(g.o) * W::bases),
        dtheta(g.count()),
        dlearned(learned.size()) {
    op::weight_bases<W, T> forward{.g = g,
                                   .theta = theta.data(),
                                   .bases = bases.data(),
                                   .scales = {},
                                   .parameters = learned.data(),
                                   .filters = g.o};
    if constexpr (W::scaled) forward.scales = scales.data();
    test::run(forward);
    op::weight_bases_backward<W, T> backward{.g = g,
                                             .theta = theta.data(),
                                             .bases = bases.data(),
                                             .scales = {},
                                             .dsum = dsum.data(),
                                             .dtheta = dtheta.data(),
                                             .parameters = learned.data(),
                                             .dparameters = dlearned.data(),
                                             .filters = g.o};
    if constexpr (W::scaled) backward.scales = scales.data();
    test::run(backward);
  }
  /// The sum of the scaled bases.
  std::vector<T> value() const {
    std::vector<T> sum(dtheta.size());
    const std::size_t filters = scales.size() / W::bases, row = sum.size() / filters;
    for (std::size_t i = 0; i < bases.size(); ++i) {
      const std::size_t m = i / sum.size(), k = i % sum.size();
      sum[k] += (W::scaled ? scales[m * filters + k / row] : T(1)) * bases[i];
    }
    return sum;
  }
};

struct Golden {
  const golden::json values = golden::load("quantizers");

  template <class W> void weights(const char* name) const {
    CAPTURE(name);
    constexpr geometry::Weights g = filters(3, 4, 2, 2);
    Values theta = golden::u_values("theta", g.count()), dsum = golden::u_values("dsum", g.count()),
           learned = golden::u_values("alpha", quant::parameter_count<W>(g.o));
    for (double& v : theta) v = 2.6 * v - 1.3;
    for (double& v : dsum) v = 2 * v - 1;
    for (double& v : learned) v -= 0.3;
    const golden::json& expected = values.at("weights").at(name);
    const WeightRun<W, double> run(g, theta, dsum, learned);
    CHECK(error(run.value(), expected.at("value")) < tolerance);
    CHECK(error(run.dtheta, expected.at("dtheta")) < tolerance);
    CHECK(expected.contains("dalpha") == !learned.empty());
    if (!learned.empty()) CHECK(error(run.dlearned, expected.at("dalpha")) < tolerance);
  }

  template <class A> void activation(const char* name) const {
    CAPTURE(name);
    const Map map{2, 3, 2, 3, 3}, wide = geometry::padded(map, 1);
    Values x = golden::u_values("x", 36), dsum = golden::u_values("dx", wide.rows() * 3),
           learned(quant::parameter_count<A>(3)), sum(dsum.size()), dx(36),
           dlearned(learned.size());
    for (double& v : x) v = 2.6 * v - 1.3;
    for (double& v : dsum) v = 2 * v - 1;
    std::size_t at = 0;
    for (const quant::MapParameter& p : quant::parameters_of<A>())
      for (int i = 0; i < p.count; ++i)
        learned[at++] = p.name == std::string("clip") ? 0.8
                        : p.name == std::string("step")
                            ? 0.007
                            : golden::u(p.name, i) - (p.init == Init::spread ? 0.5 : 0.3);
    test::run(op::activation_bases<A, double>{.x = {map, x.data()},
                                              .parameters = learned.data(),
                                              .bases = nullptr,
                                              .sum = sum.data(),
                                              .pad = 1});
    test::run(op::activation_bases_backward<A, double>{.x = {map, x.data()},
                                                       .dx = {map, dx.data()},
                                                       .parameters = learned.data(),
                                                       .dsum = dsum.data(),
                                                       .dparameters = dlearned.data(),
                                                       .pad = 1});
    const golden::json& expected = values.at("activations").at(name);
    CHECK(error(sum, expected.at("value")) < tolerance);
    CHECK(error(dx, expected.at("dx")) < tolerance);
    at = 0;
    for (const quant::MapParameter& p : quant::parameters_of<A>()) {
      CHECK(error(Values(dlearned.begin() + at, dlearned.begin() + at + p.count),
                  expected.at(std::string("d") + p.name)) < tolerance);
      at += p.count;
    }
  }
};

/// What a call gives with 1, 2, 3 and 7 threads.
template <class F> void same_with_threads(F f) {
  host::set_threads(1);
  const auto expected = f();
  for (const int threads : {2, 3, 7}) {
    host::set_threads(threads);
    CHECK(f() == expected);
  }
  host::set_threads(2);
}

}  // namespace

TEST_CASE("weight maps compute what PyTorch does") {
  using namespace quant;
  const Golden golden;
  golden.weights<Sign>("sign");
  golden.weights<BinaryWeights<surrogate::Identity>>("sign identity");
  golden.weights<BinaryWeights<surrogate::ApproxSign>>("sign approx");
  golden.weights<DoReFaWeights<1>>("dorefa 1");
  golden.weights<DoReFaWeights<2>>("dorefa 2");
  golden.weights<DoReFaWeights<4>>("dorefa 4");
  golden.weights<XnorWeights>("xnor");
  golden.weights<TernaryWeights<>>("ternary");
  golden.weights<TernaryWeights<Per::channel>>("ternary filter");
  golden.weights<BiRealWeights>("bi-real");
  golden.weights<Int8Weights>("int8");
  golden.weights<MultiBit<1>>("multi-bit 1");
  golden.weights<MultiBit<3>>("multi-bit 3");
  golden.weights<MultiBit<3, LeastSquares<Per::channel>>>("multi-bit 3 filter");
  golden.weights<MultiBit<3, Learned<>>>("learned 3");
  golden.weights<MultiBit<3, Learned<Per::channel>>>("learned 3 filter");
}
TEST_CASE("activation maps compute what PyTorch does") {
  using namespace quant;
  const Golden golden;
  golden.activation<SignActivation>("sign");
  golden.activation<BinaryActivation<surrogate::Identity>>("sign identity");
  golden.activation<BinaryActivation<surrogate::ApproxSign>>("sign approx");
  golden.activation<RoundActivation<2>>("round 2");
  golden.activation<Int8Activation>("int8");
  golden.activation<PactActivation<2>>("pact 2");
  golden.activation<PactActivation<4>>("pact 4");
  golden.activation<MultiBitActivation<1>>("multi-bit 1");
  golden.activation<MultiBitActivation<3>>("multi-bit 3");
}

namespace {
template <class W> void weight_threads() {
  constexpr geometry::Weights g = filters(70, 64, 3, 3);
  const auto theta = test::numbers<float>(g.count(), 1), dsum = test::numbers<float>(g.count(), 2);
  const std::vector<float> learned(quant::parameter_count<W>(g.o), .3f);
  same_with_threads([&] {
    const WeightRun<W, float> run(g, theta, dsum, learned);
    return std::make_tuple(run.bases, run.scales, run.dtheta, run.dlearned);
  });
}
template <class A> void activation_threads() {
  const Map map{3, 33, 17, 24, 24}, wide = geometry::padded(map, 1);
  const auto x = test::numbers<float>(map.rows() * 24, 1),
             dsum = test::numbers<float>(wide.rows() * 24, 2);
  const std::vector<float> learned(quant::parameter_count<A>(24), .3f);
  same_with_threads([&] {
    std::vector<float> sum(dsum.size()), bases(dsum.size() * A::bases), dx(x.size()),
        dlearned(learned.size());
    test::run(op::activation_bases<A, float>{.x = {map, x.data()},
                                             .parameters = learned.data(),
                                             .bases = bases.data(),
                                             .sum = sum.data(),
                                             .pad = 1});
    test::run(op::activation_bases_backward<A, float>{.x = {map, x.data()},
                                                      .dx = {map, dx.data()},
                                                      .parameters = learned.data(),
                                                      .dsum = dsum.data(),
                                                      .dparameters = dlearned.data(),
                                                      .pad = 1});
    return std::make_tuple(sum, bases, dx, dlearned);
  });
}
}  // namespace

TEST_CASE("maps give the same bits with any number of threads") {
  using namespace quant;
  weight_threads<DoReFaWeights<2>>();
  weight_threads<XnorWeights>();
  weight_threads<Int8Weights>();
  weight_threads<TernaryWeights<>>();
  weight_threads<MultiBit<3>>();
  weight_threads<MultiBit<2, Learned<>>>();
  activation_threads<PactActivation<2>>();
  activation_threads<MultiBitActivation<3>>();
}

TEST_CASE("what cannot be fitted: equal bases, no weights above the threshold, all zero") {
  constexpr geometry::Weights g = filters(2, 3, 1, 1);
  const Values constant(6, .25), dsum{1, 2, 3, 4, 5, 6}, zero(6);
  const WeightRun<quant::MultiBit<3>, double> equal(g, constant, dsum, {});
  CHECK(error(equal.scales, {.25, .25, 0, 0, 0, 0}) < 1e-15);  // the first base is all of it
  CHECK(error(equal.value(), constant) < 1e-15);
  CHECK(WeightRun<quant::TernaryWeights<>, double>(g, zero, dsum, {}).value() == zero);
  const WeightRun<quant::DoReFaWeights<2>, double> none(g, zero, dsum, {});
  for (const double v : none.value()) CHECK(std::abs(v) == doctest::Approx(1.0 / 3));
  CHECK(none.dtheta == zero);
}
TEST_CASE("quotients are rounded half to even") {
  for (int i = -4000; i < 4000; ++i) {
    CHECK(quant::round_quotient(float(i) / 8) == std::nearbyint(float(i) / 8));
    CHECK(quant::round_quotient(double(i) / 8) == std::nearbyint(double(i) / 8));
  }
  CHECK(std::isnan(quant::round_quotient(NAN)));
}
TEST_CASE("a clip that is not positive makes every value a NaN") {
  for (const double clip : {0.0, -1.0, double(NAN)})
    for (const double x : {-1.0, 0.0, 0.5, 3.0})
      CHECK(std::isnan(quant::PactActivation<2>::value(x, &clip)));
}

namespace {
template <class W> void nan_passes() {
  constexpr geometry::Weights g = filters(3, 7, 1, 1);
  const Values dsum = test::numbers<double>(21, 2), learned(quant::parameter_count<W>(3), .3);
  for (std::size_t i = 0; i < 21; ++i) {
    Values theta = test::numbers<double>(21, 1);
    theta[i] = NAN;
    CHECK(std::isnan(WeightRun<W, double>(g, theta, dsum, learned).value()[i]));
  }
}
}  // namespace

TEST_CASE("a NaN passes the weight maps with means") {
  using namespace quant;
  nan_passes<DoReFaWeights<1>>();
  nan_passes<DoReFaWeights<3>>();
  nan_passes<XnorWeights>();
  nan_passes<BiRealWeights>();
  nan_passes<Int8Weights>();
  nan_passes<TernaryWeights<>>();
  nan_passes<TernaryWeights<Per::channel>>();
  nan_passes<MultiBit<3, LeastSquares<Per::channel>>>();
  nan_passes<MultiBit<3, Learned<>>>();
}
