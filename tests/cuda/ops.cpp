// Every CUDA kernel against the CPU's.
#include "cuda/ops.hpp"

#include "rnx/cuda.hpp"

TEST_CASE("CUDA operations agree with the CPU's") {
  test::Ops<rnx::cuda, float>::all();
  test::Ops<rnx::cuda, double>::all();
}
