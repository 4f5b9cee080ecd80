// What the fuzz targets share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

inline void check(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "not so: %s\n", what);
  std::abort();
}

/// An error's text has no line break and no other control character.
inline bool one_sentence(const char* text) {
  for (; *text; ++text)
    if (static_cast<unsigned char>(*text) < 0x20) return false;
  return true;
}

inline std::span<const std::byte> as_input(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const std::byte*>(data), size};
}
