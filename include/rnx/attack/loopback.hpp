// Room attack on the loopback device, beside rnx/kernels/loopback/definitions.hpp: for the same
// translation unit.
#pragma once

#include "rnx/kernels/loopback/definitions.hpp"
#include "rnx/attack/cpu.hpp"

#define RNX_LOOPBACK_ATTACK RNX_LOOPBACK_2_(attack_start, attack_step)
