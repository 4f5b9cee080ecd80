// Kernels of the loopback device: declared here, defined by one translation unit
// (kernels/loopback/definitions.hpp).
#pragma once

#include "rnx/device/loopback.hpp"
#include "rnx/kernels/kernel.hpp"

namespace rnx::inline RNX_ABI {

template <class Operation> struct launch<loopback, Operation> {
  static void run(Stream, const Operation&);
};

}  // namespace rnx::inline RNX_ABI
