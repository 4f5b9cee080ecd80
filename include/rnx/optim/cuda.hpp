// Optimizer steps, on CUDA.
#pragma once

#include "rnx/kernels/cuda/declare.hpp"
#include "rnx/optim/op.hpp"

#define RNX_CUDA_OPTIM(f) f(sgd_step) f(adam_step) f(ema_step) f(square_sum) f(clip_factor)

namespace rnx::inline RNX_ABI {
RNX_CUDA_OPTIM(RNX_CUDA_DECLARE)
}  // namespace rnx::inline RNX_ABI
