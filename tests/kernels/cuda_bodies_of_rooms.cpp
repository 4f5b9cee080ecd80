// Bodies of the CUDA kernels that later rooms bring, as in cuda_bodies.cpp.
#include "cuda/emulated.hpp"
#include "cuda/ops_distill.hpp"

TEST_CASE("CUDA kernel bodies of room distill agree with the CPU's kernels") {
  test::DistillOps<test::emulated, float>::all();
  test::DistillOps<test::emulated, double>::all();
}
