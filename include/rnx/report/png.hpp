// Small pictures inside a page: PNG of 8-bit grey or RGB (ISO/IEC 15948) and base64 (RFC 4648).
// Pixels are stored, not compressed: the pictures of a report are tens of pixels wide, and
// adversarial differences are noise that hardly shrinks.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "rnx/core/error.hpp"

namespace rnx::inline RNX_ISA::report {

/// CRC-32 of PNG chunks (polynomial 0xEDB88320, reflected).
inline std::uint32_t crc32(std::string_view bytes) {
  static constexpr auto table = [] {
    std::array<std::uint32_t, 256> t{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t c = i;
      for (int k = 0; k < 8; ++k) c = (c >> 1) ^ (c & 1 ? 0xEDB88320u : 0u);
      t[i] = c;
    }
    return t;
  }();
  std::uint32_t crc = 0xFFFFFFFFu;
  for (const char c : bytes) crc = table[(crc ^ static_cast<unsigned char>(c)) & 255] ^ (crc >> 8);
  return ~crc;
}

/// Adler-32, the check of zlib streams (RFC 1950).
inline std::uint32_t adler32(std::string_view bytes) {
  std::uint32_t a = 1, b = 0;
  for (const char c : bytes) {
    a = (a + static_cast<unsigned char>(c)) % 65521;
    b = (b + a) % 65521;
  }
  return b << 16 | a;
}

namespace detail {
inline void append_be32(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out += char(value >> shift & 255);
}
inline void append_chunk(std::string& out, std::string_view type, std::string_view data) {
  append_be32(out, std::uint32_t(data.size()));
  const std::size_t checked = out.size();
  (out += type) += data;
  append_be32(out, crc32(std::string_view(out).substr(checked)));
}
/// A zlib stream of stored blocks.
inline std::string zlib_stored(std::string_view raw) {
  std::string out = "\x78\x01";
  for (std::size_t at = 0; at == 0 || at < raw.size(); at += 65535) {
    const std::size_t length = std::min<std::size_t>(raw.size() - at, 65535);
    out += at + length == raw.size() ? '\1' : '\0';
    for (const std::size_t v : {length, ~length}) (out += char(v & 255)) += char(v >> 8 & 255);
    out += raw.substr(at, length);
  }
  append_be32(out, adler32(raw));
  return out;
}
}  // namespace detail

/// A PNG file. `pixels`: (height, width, channels), channels 1 (grey) or 3 (RGB). Errors:
/// ShapeError (sizes that do not fit).
inline std::string png(std::span<const std::uint8_t> pixels, int width, int height, int channels) {
  require<ShapeError>(width > 0 && height > 0 && (channels == 1 || channels == 3) &&
                          pixels.size() == std::size_t(width) * height * channels,
                      "png: expected height x width x channels bytes with one or three channels");
  // A chunk's length has 31 bits; the quarter leaves room for filter bytes and block headers.
  require<ShapeError>(pixels.size() < std::numeric_limits<std::int32_t>::max() / 4,
                      "png: the picture is too large");
  std::string header, rows, out = "\x89PNG\r\n\x1A\n";
  detail::append_be32(header, std::uint32_t(width));
  detail::append_be32(header, std::uint32_t(height));
  header += {8, char(channels == 3 ? 2 : 0), 0, 0,
             0};  // bits, colour type, deflate, filters, no interlace
  const std::size_t stride = std::size_t(width) * channels;
  for (int y = 0; y < height; ++y) {
    rows += '\0';  // no filter
    rows.append(reinterpret_cast<const char*>(pixels.data()) + y * stride, stride);
  }
  detail::append_chunk(out, "IHDR", header);
  detail::append_chunk(out, "IDAT", detail::zlib_stored(rows));
  detail::append_chunk(out, "IEND", {});
  return out;
}

inline std::string base64(std::string_view bytes) {
  static constexpr char digits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (k < count ? static_cast<unsigned char>(bytes[at + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k)
      out += k <= count ? digits[group >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

}  // namespace rnx::inline RNX_ISA::report
