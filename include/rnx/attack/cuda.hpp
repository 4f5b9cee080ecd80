// Starts and steps of first-order attacks, on CUDA.
#pragma once

#include "rnx/attack/op.hpp"
#include "rnx/kernels/cuda/declare.hpp"

#define RNX_CUDA_ATTACK(f) f(attack_start) f(attack_step)

namespace rnx::inline RNX_ABI {
RNX_CUDA_ATTACK(RNX_CUDA_DECLARE)
}  // namespace rnx::inline RNX_ABI
