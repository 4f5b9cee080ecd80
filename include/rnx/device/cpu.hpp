// Host memory.
#pragma once

#include <cstring>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

#include "rnx/device/tags.hpp"

namespace rnx::inline RNX_ABI {

template <> struct memory<cpu> {
  static constexpr std::align_val_t alignment{64};
  static void* allocate(std::size_t bytes) {
    if (bytes == 0) return nullptr;
    void* p = ::operator new(bytes, alignment, std::nothrow);
    require<DeviceError>(p != nullptr, [&] {
      return "cpu: " + std::to_string(bytes) + " bytes of memory could not be allocated";
    });
    large_pages(p, bytes);
    return p;
  }
  static void release(void* p) noexcept { ::operator delete(p, alignment); }
  static void upload(void* device, const void* host, std::size_t bytes, Stream = {}) {
    if (bytes) std::memcpy(device, host, bytes);
  }
  static void download(void* host, const void* device, std::size_t bytes, Stream = {}) {
    if (bytes) std::memcpy(host, device, bytes);
  }
  static void copy(void* to, const void* from, std::size_t bytes, Stream = {}) {
    if (bytes) std::memmove(to, from, bytes);
  }
  static void zero(void* p, std::size_t bytes, Stream = {}) {
    if (bytes) std::memset(p, 0, bytes);
  }

 private:
  /// Arenas are walked through again and again: pages of 2 MiB where the system grants them.
  static void large_pages([[maybe_unused]] void* p, [[maybe_unused]] std::size_t bytes) {
#ifdef MADV_HUGEPAGE
    constexpr std::uintptr_t page = 2 << 20;
    if (bytes < 2 * page) return;
    const std::uintptr_t begin = (reinterpret_cast<std::uintptr_t>(p) + page - 1) / page * page,
                         end = (reinterpret_cast<std::uintptr_t>(p) + bytes) / page * page;
    if (end > begin) (void)::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#endif
  }
};

}  // namespace rnx::inline RNX_ABI
