// Room kernels: what an operation is, what it receives, and how the CPU does it.
#pragma once

#include "rnx/kernels/cpu.hpp"
#include "rnx/kernels/geometry.hpp"
#include "rnx/kernels/kernel.hpp"
#include "rnx/kernels/op.hpp"
