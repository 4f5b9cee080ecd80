// Networks of few bits on cuda.
#include "cuda/quantized.hpp"

#include "rnx/cuda.hpp"

TEST_CASE("networks of signs and of levels train and are attacked on cuda as on the CPU") {
  test::quantized<rnx::cuda>();
}
