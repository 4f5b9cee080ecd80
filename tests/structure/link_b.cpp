// Built without flags for an instruction set. That this and link_a.cpp are one program is the test: no definition is there twice.
#include <rnx/rnx.hpp>

#include <doctest/doctest.h>

bool built_with_avx2();

TEST_CASE("two translation units with different instruction sets link") {
#ifdef __AVX2__
  constexpr bool here = true;
#else
  constexpr bool here = false;
#endif
  // Equal where the compiler has no AVX2 or has it by default; never the other way round.
  CHECK(built_with_avx2() >= here);
}

TEST_CASE("the headers and CMakeLists.txt name one version") {
  CHECK(RNX_VERSION_MAJOR == PROJECT_MAJOR);
  CHECK(RNX_VERSION_MINOR == PROJECT_MINOR);
  CHECK(RNX_VERSION_PATCH == PROJECT_PATCH);
}
