// Room loss on the loopback device, beside rnx/kernels/loopback/definitions.hpp: for the same
// translation unit.
#pragma once

#include "rnx/kernels/loopback/definitions.hpp"
#include "rnx/loss/cpu.hpp"

#define RNX_LOOPBACK_LOSS \
  RNX_LOOPBACK_2_(cross_entropy, kl_divergence) RNX_LOOPBACK_1_(row_distance)
