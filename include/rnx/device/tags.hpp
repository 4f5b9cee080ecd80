// Device tags, and the untyped stream that a pass runs on.
#pragma once

#include "rnx/core.hpp"

namespace rnx::inline RNX_ABI {

struct cpu {
  static constexpr const char* name = "cpu";
};
struct cuda {
  static constexpr const char* name = "cuda";
};
/// A host-side stand-in for a device: tagged pointers no host code may dereference, kernels
/// compiled elsewhere, recorded steps.
struct loopback {
  static constexpr const char* name = "loopback";
};

/// Where kernels are queued. What the handle means is the device's business; null is its default
/// stream.
struct Stream {
  void* handle = nullptr;
};

/// Memory of a device: specialised by each of them.
///   requires  pointers come from allocate; upload and download cross to and from host memory and
///             return when done
///   ensures   allocate returns 64-byte aligned memory or throws DeviceError
template <class Device> struct memory;

}  // namespace rnx::inline RNX_ABI

namespace rnx::inline RNX_ISA {
/// Where networks, optimizers, attacks and losses live unless they name another device.
using default_device = RNX_DEVICE;
}  // namespace rnx::inline RNX_ISA
