// Host memory.
#pragma once

#include <cstdlib>
#include <cstring>

#include "rnx/device/tags.hpp"

namespace rnx::inline RNX_ABI {

template <> struct memory<cpu> {
  static void* allocate(std::size_t bytes) {
    if (bytes == 0) return nullptr;
    void* p = std::aligned_alloc(64, round_up(bytes, 64));
    require<DeviceError>(p != nullptr, [&] { return "cpu: " + std::to_string(bytes) + " bytes of memory could not be allocated"; });
    return p;
  }
  static void release(void* p) noexcept { std::free(p); }
  static void upload(void* device, const void* host, std::size_t bytes, Stream = {}) { if (bytes) std::memcpy(device, host, bytes); }
  static void download(void* host, const void* device, std::size_t bytes, Stream = {}) { if (bytes) std::memcpy(host, device, bytes); }
  static void copy(void* to, const void* from, std::size_t bytes, Stream = {}) { if (bytes) std::memmove(to, from, bytes); }
  static void zero(void* p, std::size_t bytes, Stream = {}) { if (bytes) std::memset(p, 0, bytes); }
};

}  // namespace rnx::inline RNX_ABI
