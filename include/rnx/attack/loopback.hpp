// Room attack on the loopback device, beside rnx/kernels/loopback/definitions.hpp: for the same
// translation unit.
#pragma once

#include "rnx/kernels/loopback/definitions.hpp"
#include "rnx/attack/cpu.hpp"
#include "rnx/attack/victim_row.hpp"
#include "rnx/kernels/cpu/row.hpp"

#define RNX_LOOPBACK_ATTACK                  \
  RNX_LOOPBACK_2_(attack_start, attack_step) \
  RNX_LOOPBACK_2_(combine_logits, combine_logits_backward) RNX_LOOPBACK_1_(keep_larger)
