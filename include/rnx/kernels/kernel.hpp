// The door between layers and devices: kernel<Device, Operation>::run(stream, operation).
//
//   cpu        specialised in kernels/cpu/ and the rooms' cpu.hpp for this translation unit's
//              instruction set
//   others     forwarded to launch<Device, Operation>, whose definitions are compiled elsewhere
// An operation, op::add<T>, is a plain struct of sizes, numbers and device pointers: it can be
// queued, recorded and copied. Its pointers() ties the pointers, for devices that translate
// addresses.
#pragma once

#include <tuple>

#include "rnx/kernels/geometry.hpp"

namespace rnx::inline RNX_ABI {

/// Kernels of a device that is compiled elsewhere. Specialised, but not defined, by
/// kernels/<device>.hpp and by the <device>.hpp of rooms that bring operations of their own.
template <class Device, class Operation> struct launch : missing_kernel<Device, Operation> {};

}  // namespace rnx::inline RNX_ABI

namespace rnx::inline RNX_ISA {

template <class Device, class Operation> struct kernel {
  static void run(Stream s, const Operation& a) { launch<Device, Operation>::run(s, a); }
};

/// Runs an operation on `Device`: run<cpu>(stream, op::add<float>{...}).
template <class Device, class Operation> inline void run(Stream s, const Operation& a) {
  kernel<Device, Operation>::run(s, a);
}

}  // namespace rnx::inline RNX_ISA
