// Room optim on the loopback device, beside rnx/kernels/loopback/definitions.hpp: for the same
// translation unit.
#pragma once

#include "rnx/kernels/loopback/definitions.hpp"
#include "rnx/optim/cpu.hpp"

#define RNX_LOOPBACK_OPTIM \
  RNX_LOOPBACK_4_(sgd_step, adam_step, ema_step, square_sum) RNX_LOOPBACK_1_(clip_factor)
