// Room train on the loopback device, beside rnx/kernels/loopback/definitions.hpp: for the same
// translation unit.
#pragma once

#include "rnx/kernels/loopback/definitions.hpp"
#include "rnx/train/cpu.hpp"

#define RNX_LOOPBACK_TRAIN RNX_LOOPBACK_2_(perturb, perturbation_step)
