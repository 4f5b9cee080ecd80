// Memory of CUDA devices: declared here, defined by the library rnx::cuda or by one .cu that
// includes rnx/cuda.cuh. Stream::handle is a cudaStream_t; null is the legacy default stream, which
// waits for every other stream that is not non-blocking.
#pragma once

#include "rnx/device/tags.hpp"

namespace rnx::inline RNX_ABI {

/// The device is the calling thread's current one. Failures throw DeviceError; a kernel's failure
/// may show in a later call.
template <> struct memory<cuda> {
  static void* allocate(std::size_t bytes);
  static void release(void* p) noexcept;
  static void upload(void* device, const void* host, std::size_t bytes, Stream = {});
  static void download(void* host, const void* device, std::size_t bytes, Stream = {});
  static void copy(void* to, const void* from, std::size_t bytes, Stream = {});
  static void zero(void* p, std::size_t bytes, Stream = {});
};

}  // namespace rnx::inline RNX_ABI
