// Bodies of the CUDA kernels that later rooms bring, as in cuda_bodies.cpp.
#include "cuda/emulated.hpp"
#include "cuda/ops_binary.hpp"
#include "cuda/ops_distill.hpp"
#include "cuda/ops_linearize.hpp"
#include "cuda/ops_quant.hpp"
#include "cuda/ops_search.hpp"
#include "cuda/ops_train.hpp"

TEST_CASE("CUDA kernel bodies of room distill agree with the CPU's kernels") {
  test::DistillOps<test::emulated, float>::all();
  test::DistillOps<test::emulated, double>::all();
}
TEST_CASE("CUDA kernel bodies of room train agree with the CPU's kernels") {
  test::TrainOps<test::emulated, float>::all();
  test::TrainOps<test::emulated, double>::all();
}
TEST_CASE("CUDA kernel bodies of room linearize agree with the CPU's kernels") {
  test::LinearizeOps<test::emulated, float>::all();
  test::LinearizeOps<test::emulated, double>::all();
}
TEST_CASE("CUDA kernel bodies of room search agree with the CPU's kernels") {
  test::SearchOps<test::emulated, float>::all();
  test::SearchOps<test::emulated, double>::all();
}
TEST_CASE("CUDA kernel bodies of room quant agree with the CPU's kernels") {
  test::QuantOps<test::emulated, float>::all();
  test::QuantOps<test::emulated, double>::all();
}
TEST_CASE("CUDA kernel bodies of signs agree with the CPU's kernels") {
  test::BinaryOps<test::emulated, float>::all();
  test::BinaryOps<test::emulated, double>::all();
}
