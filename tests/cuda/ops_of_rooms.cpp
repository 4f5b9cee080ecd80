// CUDA kernels that later rooms bring against the CPU's.
#include "cuda/ops_binary.hpp"
#include "cuda/ops_distill.hpp"
#include "cuda/ops_linearize.hpp"
#include "cuda/ops_quant.hpp"
#include "cuda/ops_search.hpp"
#include "cuda/ops_train.hpp"

#include "rnx/cuda.hpp"

TEST_CASE("CUDA operations of room distill agree with the CPU's") {
  test::DistillOps<rnx::cuda, float>::all();
  test::DistillOps<rnx::cuda, double>::all();
}
TEST_CASE("CUDA operations of room train agree with the CPU's") {
  test::TrainOps<rnx::cuda, float>::all();
  test::TrainOps<rnx::cuda, double>::all();
}
TEST_CASE("CUDA operations of room linearize agree with the CPU's") {
  test::LinearizeOps<rnx::cuda, float>::all();
  test::LinearizeOps<rnx::cuda, double>::all();
}
TEST_CASE("CUDA operations of room search agree with the CPU's") {
  test::SearchOps<rnx::cuda, float>::all();
  test::SearchOps<rnx::cuda, double>::all();
}
TEST_CASE("CUDA operations of room quant agree with the CPU's") {
  test::QuantOps<rnx::cuda, float>::all();
  test::QuantOps<rnx::cuda, double>::all();
}
TEST_CASE("CUDA operations of signs agree with the CPU's") {
  test::BinaryOps<rnx::cuda, float>::all();
  test::BinaryOps<rnx::cuda, double>::all();
}
