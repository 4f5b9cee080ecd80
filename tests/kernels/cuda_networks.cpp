// Networks on the bodies of the CUDA kernels.
#include "cuda/emulated.hpp"
#include "cuda/quantized.hpp"

TEST_CASE("networks of signs and of levels train by CUDA kernel bodies as on the CPU") {
  test::quantized<test::emulated>();
}
