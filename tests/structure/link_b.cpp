// Built without flags for an instruction set. That this and link_a.cpp are one program is the test:
// no definition is there twice.
#include <rnx/rnx.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <string_view>

namespace plain {
#include "link_network.inc"
}

const char* instruction_set_of_a();
std::vector<float> logits_of_a();
void throw_from_a();

TEST_CASE(
    "two translation units with different instruction sets: each calls its own kernels, results "
    "agree") {
  const std::string_view a = instruction_set_of_a(), b = rnx::instruction_set();
#ifdef __x86_64__
  if (a == "avx2" && !__builtin_cpu_supports("avx2")) return;
#endif
  const std::vector<float> x = logits_of_a(), y = plain::trained_logits();
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    difference += (x[i] - y[i]) * (x[i] - y[i]);
    norm += y[i] * y[i];
  }
  CHECK(std::sqrt(difference / norm) < 1e-5);
  if (a != b)
    CHECK(x !=
          // fused multiply-adds round once: equal bits would mean that one unit ran the other's
          // kernels
          y);
}

TEST_CASE("an Error crosses translation units of different instruction sets") {
  CHECK_THROWS_AS(throw_from_a(), rnx::ShapeError);
  CHECK_THROWS_AS(throw_from_a(), rnx::Error);
}

TEST_CASE("the headers and CMakeLists.txt name one version") {
  CHECK(RNX_VERSION_MAJOR == PROJECT_MAJOR);
  CHECK(RNX_VERSION_MINOR == PROJECT_MINOR);
  CHECK(RNX_VERSION_PATCH == PROJECT_PATCH);
}
