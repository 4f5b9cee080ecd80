// -DRNX_WINOGRAD=0 takes direct sums; both kinds of files link, and agree to rounding.
#include "network/summation.hpp"

#include <doctest/doctest.h>

namespace summation {
namespace {
struct Here {};
}
Results winograd() { return run<Here>(); }
}  // namespace summation

TEST_CASE("summation: Winograd's convolutions agree with direct ones within 1e-5, and are others") {
  const summation::Results a = summation::winograd(), b = summation::direct();
  const auto distance = [](const std::vector<float>& u, const std::vector<float>& v) {
    REQUIRE(u.size() == v.size());
    double d = 0, norm = 0;
    for (std::size_t i = 0; i < u.size(); ++i) {
      d += double(u[i] - v[i]) * (u[i] - v[i]);
      norm += double(v[i]) * v[i];
    }
    return std::sqrt(d / norm);
  };
  CHECK(distance(a.logits, b.logits) < 1e-5);
  CHECK(distance(a.dx, b.dx) < 1e-5);
  CHECK(distance(a.grads, b.grads) < 1e-5);
  CHECK(a.dx != b.dx);
}
