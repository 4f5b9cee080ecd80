// Tags only: costs nothing to include.
#pragma once

#include "rnx/config.hpp"

namespace rnx::inline RNX_ABI {
struct cpu;
struct cuda;
struct loopback;
struct Context;
struct Subnet;
struct StepValues;
}  // namespace rnx::inline RNX_ABI
