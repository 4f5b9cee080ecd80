// Searches for the smallest perturbation: C&W and DeepFool on linear models, in parts of a batch,
// with several backwards of one forward.
#include "linear.hpp"
#include "small.hpp"
#include "support/error_of.hpp"

#include <doctest/doctest.h>

using namespace rnx;
using small::Case;
using small::n;
using support::error_of;

namespace {

/// Attack on the chosen samples alone.
template <class Attack>
std::vector<float> of_part(Case& c, const Attack& attack, const std::vector<std::int32_t>& chosen) {
  const Selection<> some(chosen, n);
  Tensor<float> x(int(chosen.size()), c.x.dims()), a(int(chosen.size()), c.x.dims());
  run<cpu>({},
           op::gather_rows<float>{.from = c.x.view(), .to = x.view(), .rows = some.list().data});
  attack(c.net, c.work, std::as_const(x).view(), a.view(), loss::CrossEntropy{.labels = c.y.data()},
         {.samples = some.list()});
  return a.download();
}
template <class Attack> void gives_parts_their_bits(Case& c, const Attack& attack) {
  CAPTURE(attack.describe());
  const auto whole = c.moved(attack);
  const std::vector<std::int32_t> chosen{7, 0, 10, 3};
  const auto part = of_part(c, attack, chosen);
  CHECK(whole != c.x.download());
  for (std::size_t i = 0; i < chosen.size(); ++i)
    CHECK(std::equal(part.begin() + long(i) * 192, part.begin() + long(i + 1) * 192,
                     whole.begin() + chosen[i] * 192));
}
double length(const std::vector<float>& a, const std::vector<float>& b, int sample) {
  double sum = 0;
  for (int i = sample * 192; i < (sample + 1) * 192; ++i)
    sum += (double(a[i]) - b[i]) * (double(a[i]) - b[i]);
  return std::sqrt(sum);
}

}  // namespace

TEST_CASE("the smallest perturbation of a linear model has a closed form") {
  const linear::Model m(false);
  const Network<Linear<2, false>, Shape<3, 5, 5>, cpu, precision::Double>& net = m.net;
  std::vector<std::int32_t> right(linear::n);
  auto trace = net.make_trace({.capacity = linear::n});
  const auto z = to_host(net.forward(trace, m.x.view(), {}));
  double w2 = 0, w1 = 0;
  for (const double w : m.w) {
    w2 += w * w;
    w1 += std::abs(w);
  }
  for (int i = 0; i < linear::n; ++i) right[i] = z[2 * i + 1] > z[2 * i];
  attack::Workspace<double> work(net, linear::n);
  Tensor<double> a(linear::n, m.x.dims());
  const auto size = [&](const auto& attack, op::Norm norm) {
    attack(net, work, m.x.view(), a.view(), loss::CrossEntropy{.labels = right.data()});
    const auto moved = a.download(), clean = m.x.download();
    std::vector<double> sizes(linear::n, 0);
    for (std::size_t i = 0; i < moved.size(); ++i) {
      const double d = std::abs(moved[i] - clean[i]);
      double& s = sizes[i / linear::features];
      s = norm == op::Norm::linf ? std::max(s, d) : s + d * d;
    }
    if (norm == op::Norm::l2)
      for (double& s : sizes) s = std::sqrt(s);
    return sizes;
  };
  const auto l2 = size(attack::DeepFool<>{.eps = 10, .overshoot = 0}, op::Norm::l2),
             linf = size(attack::DeepFool<norm::Linf>{.eps = 1, .overshoot = 0}, op::Norm::linf),
             cw = size(attack::CarliniWagner{.eps = 10, .constants = 12, .steps = 400},
                       op::Norm::l2);
  for (int i = 0; i < linear::n; ++i) {  // logits are +- w.x
    const double half = std::abs(z[2 * i]);
    CHECK(l2[i] == doctest::Approx(half / std::sqrt(w2) + 1e-4).epsilon(1e-9));
    CHECK(linf[i] == doctest::Approx(half / w1 + 1e-4).epsilon(1e-9));
    CHECK(cw[i] >= half / std::sqrt(w2) * (1 - 1e-9));
    CHECK(cw[i] == doctest::Approx(half / std::sqrt(w2)).epsilon(1e-2));
  }
}

TEST_CASE("searches keep a sample's bits in parts of a batch, and return no image beyond eps") {
  Case c;
  const attack::CarliniWagner cw{
      .eps = 100, .constants = 3, .steps = 20, .rate = 0.1, .constant = 1};
  gives_parts_their_bits(c, cw);
  gives_parts_their_bits(c, attack::DeepFool<>{.eps = 100});
  gives_parts_their_bits(c, attack::DeepFool<norm::Linf>{.eps = 1});
  gives_parts_their_bits(c, attack::Fab<>{.eps = 1, .steps = 4});
  gives_parts_their_bits(c, attack::Square<>{.eps = px(16), .queries = 40});
  const auto clean = c.x.download(), far = c.moved(cw);
  std::vector<double> sizes;
  for (int i = 0; i < n; ++i) sizes.push_back(length(far, clean, i));
  std::vector<double> sorted = sizes;
  std::sort(sorted.begin(), sorted.end());
  attack::CarliniWagner near = cw;
  near.eps = sorted[n / 2] * (1 + 1e-6);
  const auto kept = c.moved(near);
  for (int i = 0; i < n; ++i) CHECK(length(kept, clean, i) == (sizes[i] > near.eps ? 0 : sizes[i]));
  attack::verify<norm::L2, float>(clean, kept, n, near.eps);
  const auto judged = c.fooled(far);
  for (int i = 0; i < n; ++i) CHECK(judged[i] == (sizes[i] > 0));
}

TEST_CASE("FAB and DeepFool take one forward for all boundaries of a step") {
  Case c;
  const auto passes_of = [&](const auto& attack) {
    const Passes before = c.work.passes();
    c.moved(attack);
    return c.work.passes() - before;
  };
  // the judgement of the clean images, of each step and of the end
  const attack::Fab<> fab{.eps = 1, .steps = 3};
  const Passes p = passes_of(fab);
  CHECK(p == Passes{.forwards = n * (1 + 2 * 3 + 1), .backwards = n * 3 * 10});
  const Passes one = passes_of(attack::DeepFool<>{.eps = 100, .steps = 1});
  CHECK(one == Passes{.forwards = n * (1 + 1 + 1 + 1), .backwards = n * 9});

  // one after the other, as of a victim that is no network: the same bits
  const attack::Ensemble<> alone({{.net = &c.net}});
  attack::Workspace<> of_box(alone, n, 4);
  const auto boxed = [&](const auto& attack) {
    Tensor<> a(n, c.x.dims());
    attack(alone, of_box, std::as_const(c.x).view(), a.view(),
           loss::CrossEntropy{.labels = c.y.data()});
    return a.download();
  };
  CHECK(boxed(fab) == c.moved(fab));
  CHECK(of_box.passes() == Passes{.forwards = n * (1 + (10 + 1) * 3 + 1), .backwards = n * 30});
  CHECK(boxed(attack::DeepFool<>{.eps = 100}) == c.moved(attack::DeepFool<>{.eps = 100}));
}

TEST_CASE("searches refuse options out of range") {
  Case c;
  CHECK(error_of<UsageError>([&] { c.moved(attack::CarliniWagner{.steps = 0}); }) ==
        "attack: C&W needs a step, a constant to try, and a rate and first constant above 0");
  CHECK(error_of<UsageError>([&] { c.moved(attack::CarliniWagner{.confidence = -1}); }) ==
        "attack: the confidence of C&W must not be negative");
  CHECK(error_of<UsageError>([&] { c.moved(attack::DeepFool<>{.candidates = 1}); }) ==
        "attack: DeepFool needs a step, 2 candidates and an overshoot of at least 0");
  CHECK(c.moved(attack::CarliniWagner{.eps = 0, .constants = 1, .steps = 3}) == c.x.download());
  CHECK(c.moved(attack::DeepFool<>{.eps = 0}) == c.x.download());
}
