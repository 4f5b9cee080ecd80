// The bodies of the CUDA kernels, run by a host executor against the CPU's kernels: what a machine
// without a GPU can check of them.
#include "cuda/emulated.hpp"
#include "cuda/ops.hpp"

TEST_CASE("CUDA kernel bodies agree with the CPU's kernels in float") {
  test::Ops<test::emulated, float>::all();
}
TEST_CASE("CUDA kernel bodies agree with the CPU's kernels in double") {
  test::Ops<test::emulated, double>::all();
}
