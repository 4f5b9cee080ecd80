// Convolutions of signs, on CUDA. What makes bits of activations is a part of their map:
// quant/cuda.hpp.
#pragma once

#include "rnx/kernels/cuda/declare.hpp"
#include "rnx/kernels/op/binary.hpp"

#define RNX_CUDA_BINARY(f) f(pack_binary) f(unpack_binary) f(binary_convolution)

namespace rnx::inline RNX_ABI {
RNX_CUDA_BINARY(RNX_CUDA_DECLARE)
}  // namespace rnx::inline RNX_ABI
