// Losses on rows, on CUDA.
#pragma once

#include "rnx/kernels/cuda/declare.hpp"
#include "rnx/loss/margin_op.hpp"
#include "rnx/loss/op.hpp"

#define RNX_CUDA_LOSS(f) f(cross_entropy) f(kl_divergence) f(row_distance) f(logit_margin)

namespace rnx::inline RNX_ABI {
RNX_CUDA_LOSS(RNX_CUDA_DECLARE)
}  // namespace rnx::inline RNX_ABI
