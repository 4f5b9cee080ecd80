// Packing of weights, on CUDA.
#pragma once

#include "rnx/kernels/cuda/declare.hpp"
#include "rnx/kernels/op/convolution.hpp"

#define RNX_CUDA_WEIGHTS(f) \
  f(pack_weights) f(unpack_gradient) f(pack_depthwise) f(unpack_depthwise_gradient) f(sum_bases)

namespace rnx::inline RNX_ABI {
RNX_CUDA_WEIGHTS(RNX_CUDA_DECLARE)
}  // namespace rnx::inline RNX_ABI
