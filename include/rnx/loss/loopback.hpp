// Room loss on the loopback device, beside rnx/kernels/loopback/definitions.hpp: for the same
// translation unit.
#pragma once

#include "rnx/kernels/loopback/definitions.hpp"
#include "rnx/kernels/cpu/row.hpp"
#include "rnx/loss/cpu.hpp"
#include "rnx/loss/margin_row.hpp"

#define RNX_LOOPBACK_LOSS \
  RNX_LOOPBACK_2_(cross_entropy, kl_divergence) RNX_LOOPBACK_2_(row_distance, logit_margin)
