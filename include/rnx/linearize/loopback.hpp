// Room linearize on the loopback device, beside rnx/kernels/loopback/definitions.hpp: for the same
// translation unit.
#pragma once

#include "rnx/kernels/loopback/definitions.hpp"
#include "rnx/linearize/cpu.hpp"

#define RNX_LOOPBACK_LINEARIZE   \
  RNX_LOOPBACK_1_(distance_sums) \
  RNX_LOOPBACK_2_(sloped_relu_forward, sloped_relu_backward)
