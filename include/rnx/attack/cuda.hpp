// Starts and steps of first-order attacks, on CUDA.
#pragma once

#include "rnx/attack/op.hpp"
#include "rnx/attack/victim_op.hpp"
#include "rnx/kernels/cuda/declare.hpp"

#define RNX_CUDA_ATTACK(f) \
  f(attack_start) f(attack_step) f(combine_logits) f(combine_logits_backward) f(keep_larger)

namespace rnx::inline RNX_ABI {
RNX_CUDA_ATTACK(RNX_CUDA_DECLARE)
}  // namespace rnx::inline RNX_ABI
