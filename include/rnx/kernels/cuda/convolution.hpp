// Convolution and its input gradient, on CUDA.
#pragma once

#include "rnx/kernels/cuda/declare.hpp"
#include "rnx/kernels/op/convolution.hpp"

#define RNX_CUDA_CONVOLUTION(f) f(conv2d_forward) f(conv2d_backward_input)

namespace rnx::inline RNX_ABI {
RNX_CUDA_CONVOLUTION(RNX_CUDA_DECLARE)
}  // namespace rnx::inline RNX_ABI
