// Depthwise convolution, on CUDA.
#pragma once

#include "rnx/kernels/cuda/declare.hpp"
#include "rnx/kernels/op/convolution.hpp"

#define RNX_CUDA_DEPTHWISE(f) \
  f(depthwise_forward) f(depthwise_backward_input) f(depthwise_backward_weight)

namespace rnx::inline RNX_ABI {
RNX_CUDA_DEPTHWISE(RNX_CUDA_DECLARE)
}  // namespace rnx::inline RNX_ABI
