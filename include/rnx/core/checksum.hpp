// Checksums of bytes: XXH3 (Collet, xxHash 0.8) with 64 bits and seed 0, which `xxhsum -H3` and
// Python's xxhash compute too. They tell files and data sets apart and show damage; they protect
// against nobody who means harm. Included by name: networks need none of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#ifndef XXH_INLINE_ALL
#define XXH_INLINE_ALL
#endif
#include <xxhash.h>
#if XXH_VERSION_NUMBER < 800
#error "rnx needs xxHash 0.8 or later: XXH3 was not final before"
#endif

#include "rnx/config.hpp"

namespace rnx::inline RNX_ABI {

/// XXH3-64 of bytes that come in pieces; how they are cut does not matter.
class Checksum {
 public:
  Checksum() { XXH3_64bits_reset(&state_); }
  Checksum& add(const void* from, std::size_t count) {
    if (count != 0) XXH3_64bits_update(&state_, from, count);
    return *this;
  }
  Checksum& add(std::string_view bytes) { return add(bytes.data(), bytes.size()); }

  /// Of what was added so far.
  std::uint64_t value() const { return XXH3_64bits_digest(&state_); }
  /// The same as sixteen hexadecimal digits, lower-case.
  std::string text() const {
    std::string digits(16, '0');
    std::uint64_t rest = value();
    for (int k = 15; k >= 0; --k, rest >>= 4) digits[k] = "0123456789abcdef"[rest & 15];
    return digits;
  }

 private:
  XXH3_state_t state_;
};

}  // namespace rnx::inline RNX_ABI
