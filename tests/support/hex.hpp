// Bytes of golden files, which hold them in hexadecimal digits.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace support {

inline std::vector<std::uint8_t> bytes_of_hex(const std::string& text) {
  std::vector<std::uint8_t> out(text.size() / 2);
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = std::uint8_t(std::stoi(text.substr(2 * i, 2), nullptr, 16));
  return out;
}

}  // namespace support
