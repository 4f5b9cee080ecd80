// FAB and FAB-T against the published code, step by step, in double.
#include "golden/attacks.hpp"

#include <doctest/doctest.h>

using namespace rnx;
using golden::attacks::n;
using golden::attacks::Setup;

namespace {

/// make(steps): an attack whose radius lets everything pass.
template <class Norm, class Make> void check(const char* name, const Make& make) {
  CAPTURE(Norm::name);
  CAPTURE(name);
  const Setup s;
  const golden::json& path = s.all.at("fab").at(s.name<Norm>()).at(name).at("path");
  attack::Workspace<double> work(s.net, n, 4);
  Tensor<double> a(n, s.x.dims());
  double worst = 0;
  int changes = 0;
  std::vector<double> before;
  for (int steps = 1; steps <= int(path.size()); ++steps) {
    make(steps)(s.net, work, s.x.view(), a.view(), loss::CrossEntropy{.labels = s.labels.data()});
    const std::vector<double> found = s.projection(a.view());
    worst = std::max(worst, golden::difference(found, golden::numbers(path[steps - 1])));
    changes += found != before;
    before = found;
  }
  CHECK(path.size() == 20);
  CHECK(changes > 5);
  CHECK(worst < 1e-8);
}
template <class Norm> void check_norm(double eps) {
  check<Norm>("fab", [&](int steps) { return attack::Fab<Norm>{.eps = eps, .steps = steps}; });
  check<Norm>("fab-t", [&](int steps) {
    return attack::FabTargeted<Norm>{.eps = eps, .steps = steps, .targets = 1};
  });
}

}  // namespace

TEST_CASE("FAB and FAB-T take the published code's way, in Linf, L2 and L1") {
  check_norm<norm::Linf>(1);
  check_norm<norm::L2>(100);
  check_norm<norm::L1>(1000);
}
