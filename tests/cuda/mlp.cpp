// Networks on cuda, trained and attacked as on the CPU.
#include "cuda/mlp.hpp"

#include "rnx/cuda.hpp"

TEST_CASE("an MLP trains and is attacked on cuda as on the CPU") { test::mlp<rnx::cuda>(); }

TEST_CASE("a convolutional network trains and is attacked on cuda as on the CPU") {
  test::small_convolution<rnx::cuda>();
}
