// Weight gradient of a convolution, on CUDA.
#pragma once

#include "rnx/kernels/cuda/declare.hpp"
#include "rnx/kernels/op/convolution.hpp"

#define RNX_CUDA_CONVOLUTION_WEIGHT(f) f(conv2d_backward_weight)

namespace rnx::inline RNX_ABI {
RNX_CUDA_CONVOLUTION_WEIGHT(RNX_CUDA_DECLARE)
}  // namespace rnx::inline RNX_ABI
