// ResNet-20 on cuda: every operation that residual networks need has a kernel.
#include "cuda/mlp.hpp"

#include "rnx/cuda.hpp"
#include "rnx/models/resnet.hpp"

TEST_CASE("ResNet-20 trains and is attacked on cuda as on the CPU") {
  test::same_as_cpu<rnx::models::ResNet20<>, rnx::Shape<3, 32, 32>, rnx::cuda,
                    rnx::precision::Double>(1e-9, 3);
}
