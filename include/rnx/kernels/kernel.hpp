// The door between layers and devices: kernel<Device, Operation>::run(stream, arguments).
//
//   cpu        specialised in kernels/cpu/ for this translation unit's instruction set
//   others     forwarded to launch<Device, Operation>, whose definitions are compiled elsewhere
// Arguments are plain structs (Operation::Args<T>) of sizes, numbers and device pointers: they can
// be queued, recorded and copied. Args::pointers() ties the pointers, for devices that translate
// addresses.
#pragma once

#include <tuple>

#include "rnx/kernels/geometry.hpp"

namespace rnx::inline RNX_ABI {

/// Kernels of a device that is compiled elsewhere. Specialised, but not defined, by
/// kernels/<device>.hpp.
template <class Device, class Operation> struct launch : missing_kernel<Device, Operation> {};

}  // namespace rnx::inline RNX_ABI

namespace rnx::inline RNX_ISA {

template <class Device, class Operation> struct kernel {
  template <class T> static void run(Stream s, const typename Operation::template Args<T>& a) {
    launch<Device, Operation>::template run<T>(s, a);
  }
};

/// Runs `Operation` on `Device`: run<op::add, cpu>(stream, op::add::Args<float>{...}).
template <class Operation, class Device, class T>
inline void run(Stream s, const typename Operation::template Args<T>& a) {
  kernel<Device, Operation>::template run<T>(s, a);
}

}  // namespace rnx::inline RNX_ISA
