// Operations of linearized networks, on CUDA.
#pragma once

#include "rnx/kernels/cuda/declare.hpp"
#include "rnx/linearize/op.hpp"

#define RNX_CUDA_LINEARIZE(f) f(sloped_relu_forward) f(sloped_relu_backward) f(distance_sums)

namespace rnx::inline RNX_ABI {
RNX_CUDA_LINEARIZE(RNX_CUDA_DECLARE)
}  // namespace rnx::inline RNX_ABI
