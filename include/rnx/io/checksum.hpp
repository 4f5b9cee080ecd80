// Fingerprints of bytes: they tell files and data sets apart and show damage. They protect against
// nobody who means harm.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "rnx/config.hpp"

namespace rnx::inline RNX_ABI::io {

/// FNV-1a (Fowler, Noll & Vo) over words of eight bytes, the same on every machine. `h` continues
/// an earlier one.
inline std::uint64_t checksum(const void* from, std::size_t count,
                              std::uint64_t h = 0xCBF29CE484222325u) {
  const auto* bytes = static_cast<const unsigned char*>(from);
  for (; count >= 8; bytes += 8, count -= 8) {
    std::uint64_t word = 0;
    for (int k = 0; k < 8; ++k) word |= std::uint64_t(bytes[k]) << 8 * k;
    h = (h ^ word) * 0x100000001B3u;
    h ^= h >> 29;  // the product moves nothing downwards
  }
  for (; count; ++bytes, --count) h = (h ^ *bytes) * 0x100000001B3u;
  return h;
}

/// Sixteen digits.
inline std::string hexadecimal(std::uint64_t h) {
  std::string text(16, '0');
  for (int k = 15; k >= 0; --k, h >>= 4) text[k] = "0123456789abcdef"[h & 15];
  return text;
}

}  // namespace rnx::inline RNX_ABI::io
