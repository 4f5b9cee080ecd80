// Square against the published code, query by query, in double: both have the same random numbers.
#include "golden/attacks.hpp"

#include <doctest/doctest.h>

using namespace rnx;
using golden::attacks::n;
using golden::attacks::Setup;

namespace {

template <class Norm> void check() {
  CAPTURE(Norm::name);
  const Setup s;
  const golden::json& path = s.all.at("square").at(s.name<Norm>()).at("path");
  attack::Workspace<double> work(s.net, n, 4);
  Tensor<double> a(n, s.x.dims());
  double worst = 0;
  int changes = 0;
  std::vector<double> before;
  for (int q = 0; q < int(path.size()); ++q) {
    const attack::Square<Norm> square{.eps = s.eps<Norm>(), .queries = q, .seed = 5};
    square(s.net, work, s.x.view(), a.view(), loss::CrossEntropy{.labels = s.labels.data()});
    const std::vector<double> found = s.projection(a.view());
    worst = std::max(worst, golden::difference(found, golden::numbers(path[q])));
    changes += found != before;
    before = found;
  }
  CHECK(path.size() == 61);
  CHECK(changes > 10);
  CHECK(worst < 1e-9);
}

}  // namespace

TEST_CASE("Square takes the published code's way, in Linf, L2 and L1") {
  check<norm::Linf>();
  check<norm::L2>();
  check<norm::L1>();
}

TEST_CASE("the side of a square's pattern and of squares, over the queries") {
  using attack::detail::square_share;
  CHECK(square_share(0.8, 0) == 0.8);
  CHECK(square_share(0.8, 10) == 0.8);
  CHECK(square_share(0.8, 11) == 0.4);
  CHECK(square_share(0.8, 4000) == 0.8 / 64);
  CHECK(square_share(0.8, 4001) == 0.8 / 128);
  CHECK(square_share(0.8, 9999) == 0.8 / 512);
  using attack::detail::square_side;
  CHECK(square_side(op::Norm::linf, 0.8, 32, 32) == 29);
  CHECK(square_side(op::Norm::linf, 0.8 / 512, 32, 32) == 1);
  CHECK(square_side(op::Norm::l2, 0.8 / 512, 32, 32) == 3);
  CHECK(square_side(op::Norm::l1, 0.8 / 4, 32, 32) == 15);
}
