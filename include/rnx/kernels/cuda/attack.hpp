// Starts and steps of first-order attacks, on CUDA.
#pragma once

#include "rnx/kernels/cuda/declare.hpp"
#include "rnx/kernels/op/attack.hpp"

#define RNX_CUDA_ATTACK(f) f(attack_start) f(attack_step)

namespace rnx::inline RNX_ABI {
RNX_CUDA_ATTACK(RNX_CUDA_DECLARE)
}  // namespace rnx::inline RNX_ABI
