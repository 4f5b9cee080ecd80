// Built with -mavx2 -mfma where the compiler has them. See link_b.cpp.
#include <rnx/net.hpp>
#include <rnx/rnx.hpp>

bool built_with_avx2() {
#ifdef __AVX2__
  return true;
#else
  return false;
#endif
}
