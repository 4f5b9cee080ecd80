// Batch normalisation and sums over channels, on CUDA.
#pragma once

#include "rnx/kernels/cuda/declare.hpp"
#include "rnx/kernels/op/batch_norm.hpp"
#include "rnx/kernels/op/convolution.hpp"

#define RNX_CUDA_BATCH_NORM(f)                                                                 \
  f(batch_norm_statistics) f(batch_norm_normalize) f(batch_norm_reduce) f(batch_norm_backward) \
      f(batch_norm_update) f(bias_backward)

namespace rnx::inline RNX_ABI {
RNX_CUDA_BATCH_NORM(RNX_CUDA_DECLARE)
}  // namespace rnx::inline RNX_ABI
