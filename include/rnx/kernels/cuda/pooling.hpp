// Pooling, on CUDA.
#pragma once

#include "rnx/kernels/cuda/declare.hpp"
#include "rnx/kernels/op/pooling.hpp"

#define RNX_CUDA_POOLING(f)                                                                 \
  f(max_pool_forward) f(max_pool_backward) f(average_pool_forward) f(average_pool_backward) \
      f(global_pool_forward) f(global_pool_backward)

namespace rnx::inline RNX_ABI {
RNX_CUDA_POOLING(RNX_CUDA_DECLARE)
}  // namespace rnx::inline RNX_ABI
