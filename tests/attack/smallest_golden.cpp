// The attack of Carlini & Wagner and DeepFool against the published algorithms in PyTorch, in
// double; see smallest.py.
#include "golden/attacks.hpp"

#include <doctest/doctest.h>

using namespace rnx;
using golden::attacks::n;
using golden::attacks::Setup;

namespace {

/// Projections of what an attack finds; tiles of 4 samples.
template <class Attack> std::vector<double> found(const Setup& s, const Attack& attack) {
  attack::Workspace<double> work(s.net, n, 4);
  Tensor<double> a(n, s.x.dims());
  attack(s.net, work, s.x.view(), a.view(), loss::CrossEntropy{.labels = s.labels.data()});
  return s.projection(a.view());
}

template <class Norm> void check_deep_fool(const char* name) {
  CAPTURE(name);
  const Setup s;
  const golden::json all = golden::load("smallest").at("deepfool").at(name);
  const auto clean = s.projection(s.x.view());
  attack::DeepFool<Norm> attack{.eps = Norm::kind == op::Norm::linf ? 1 : 100};
  for (const golden::json& stage : all.at("path")) {
    attack.steps = stage.at("steps").get<int>();
    auto expected = golden::numbers(stage.at("found"));
    const auto wrong = golden::numbers(stage.at("wrong"));
    for (int i = 0; i < n; ++i)
      if (wrong[i] == 0) expected[i] = clean[i];  // ours keeps nothing that is no success
    CHECK(golden::difference(found(s, attack), expected) < 1e-9);
  }
  attack.candidates = 3;
  CHECK(golden::difference(found(s, attack), golden::numbers(all.at("three"))) < 1e-9);
}

}  // namespace

TEST_CASE("C&W finds what the published algorithm finds, constant by constant") {
  const Setup s;
  const golden::json all = golden::load("smallest").at("cw");
  CHECK(all.size() == 4);
  for (const golden::json& c : all) {
    const attack::CarliniWagner attack{.eps = 100,
                                       .constants = c.at("constants").get<int>(),
                                       .steps = c.at("steps").get<int>(),
                                       .rate = c.at("rate").get<double>(),
                                       .constant = c.at("constant").get<double>(),
                                       .confidence = c.at("confidence").get<double>()};
    CAPTURE(attack.describe());
    CHECK(golden::difference(found(s, attack), golden::numbers(c.at("found"))) < 1e-9);
  }
}

TEST_CASE("DeepFool takes the published algorithm's way, in L2 and Linf") {
  check_deep_fool<norm::L2>("L2");
  check_deep_fool<norm::Linf>("Linf");
}
