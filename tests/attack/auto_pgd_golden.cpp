// AutoPGD against the published code, iteration by iteration from the same start, in double.
#include "golden/attacks.hpp"

#include <doctest/doctest.h>

using namespace rnx;
using golden::attacks::n;
using golden::attacks::Setup;

namespace {

/// A loss that remembers the values of each call.
template <class Loss> struct Remembered {
  const std::int32_t* labels;
  Loss loss;
  std::vector<std::vector<double>>* values;
  void operator()(Trace<double>& trace, const loss::Call<double>& call) const {
    loss(trace, call);
    values->emplace_back(call.values, call.values + trace.n());
  }
};

/// The start of attacks.py.
template <class Norm> Tensor<double> start(const Setup& s, double eps) {
  const auto u = golden::u_values("attacks.start", n * 363);
  auto x = golden::u_values("attacks.x", n * 363);
  for (int i = 0; i < n; ++i) {
    const auto at = [&](std::size_t k) { return 2 * u[i * 363 + k] - 1; };
    const double length = rows::norm(Norm::kind, 363, at);
    for (std::size_t k = 0; k < 363; ++k)
      x[i * 363 + k] = std::clamp(x[i * 363 + k] + eps * at(k) / length, 0.0, 1.0);
  }
  return Tensor<double>::from_nchw(n, s.x.dims(), x);
}

template <class Norm, class Loss> void check(Setup& s, const char* name, const Loss& loss) {
  CAPTURE(Norm::name);
  CAPTURE(name);
  const golden::json& g = s.all.at("apgd").at(s.name<Norm>()).at(name);
  const attack::AutoPgd<Norm> apgd{.eps = s.eps<Norm>()};
  attack::Workspace<double> work(s.net, n, n);
  Tensor<double> a = start<Norm>(s, s.eps<Norm>());
  std::vector<std::vector<double>> values;
  apgd.from(s.net, work, s.x.view(), a.view(), Remembered<Loss>{loss.labels, loss, &values});
  REQUIRE(values.size() == 101);
  const golden::json& expected = g.at("losses");
  // Rounding grows on the way: a pixel whose gradient is nearly 0 moves the other way. 22
  // iterations are the first window.
  double in_window = 0, later = 0;
  for (std::size_t k = 0; k < expected.size(); ++k) {
    const double d = golden::difference(values[k], golden::numbers(expected[k]));
    (k <= 22 ? in_window : later) = std::max(k <= 22 ? in_window : later, d);
  }
  CHECK(expected.size() == 58);
  CHECK(in_window < 1e-8);
  CHECK(later < 1e-2);
  const auto found = s.projection(a.view()), best = golden::numbers(g.at("best")),
             adversarial = golden::numbers(g.at("adversarial")),
             fooled = golden::numbers(g.at("fooled"));
  for (int i = 0; i < n; ++i)
    CHECK(found[i] == doctest::Approx(fooled[i] ? adversarial[i] : best[i]).epsilon(1e-4));
}

template <class Norm> void check_norm() {
  Setup s;
  check<Norm>(s, "ce", loss::CrossEntropy{.labels = s.labels.data()});
  check<Norm>(s, "dlr", loss::Dlr{.labels = s.labels.data()});
  check<Norm>(s, "dlr-targeted",
              loss::TargetedDlr{.labels = s.labels.data(), .targets = s.targets.data()});
}

}  // namespace

TEST_CASE("AutoPGD takes the published code's way, in Linf, L2 and L1") {
  check_norm<norm::Linf>();
  check_norm<norm::L2>();
  check_norm<norm::L1>();
}
