// Operations of training alone, on CUDA.
#pragma once

#include "rnx/kernels/cuda/declare.hpp"
#include "rnx/train/op.hpp"

#define RNX_CUDA_TRAIN(f) f(perturb) f(perturbation_step)

namespace rnx::inline RNX_ABI {
RNX_CUDA_TRAIN(RNX_CUDA_DECLARE)
}  // namespace rnx::inline RNX_ABI
