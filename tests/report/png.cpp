// PNG by a decoder of its own that checks every length and sum, CRC-32 and Adler-32 by published
// check values, base64 by RFC 4648's vectors.
#include <doctest/doctest.h>

#include <numeric>
#include <vector>

#include "rnx/report/png.hpp"
#include "support/error_of.hpp"

using namespace rnx;

namespace {
std::uint32_t be32(const std::string& s, std::size_t at) {
  std::uint32_t v = 0;
  for (std::size_t k = 0; k < 4; ++k) v = v << 8 | static_cast<unsigned char>(s.at(at + k));
  return v;
}
struct Size {
  int width, height, channels;
};
struct Decoded {
  std::uint32_t width = 0, height = 0;
  int channels = 0;
  std::string types, pixels;
};
Decoded decode(const std::string& file) {
  Decoded d;
  std::string stream, raw;
  REQUIRE(file.substr(0, 8) == "\x89PNG\r\n\x1A\n");
  for (std::size_t at = 8; at < file.size();) {
    const std::uint32_t length = be32(file, at);
    const std::string type = file.substr(at + 4, 4), data = file.substr(at + 8, length);
    REQUIRE(data.size() == length);
    CHECK(be32(file, at + 8 + length) == report::crc32(type + data));
    d.types += type + " ";
    if (type == "IHDR") {
      d.width = be32(data, 0);
      d.height = be32(data, 4);
      d.channels = data.at(9) == 2 ? 3 : 1;
      CHECK(data.substr(8) == std::string({8, char(d.channels == 3 ? 2 : 0), 0, 0, 0}));
    }
    if (type == "IDAT") stream += data;
    at += length + 12;
  }
  const auto byte = [&](std::size_t at) {
    return std::uint32_t(static_cast<unsigned char>(stream.at(at)));
  };
  CHECK((byte(0) * 256 + byte(1)) % 31 == 0);
  CHECK((byte(0) & 15) == 8);
  std::size_t at = 2;
  for (bool last = false; !last;) {
    REQUIRE(byte(at) <= 1);  // a stored block, perhaps the last
    last = byte(at) == 1;
    const std::uint32_t length = byte(at + 1) | byte(at + 2) << 8;
    CHECK((byte(at + 3) | byte(at + 4) << 8) == (~length & 0xFFFFu));
    raw += stream.substr(at + 5, length);
    at += 5 + length;
  }
  CHECK(at + 4 == stream.size());
  CHECK(be32(stream, at) == report::adler32(raw));
  const std::size_t stride = d.width * std::size_t(d.channels);
  REQUIRE(raw.size() == d.height * (stride + 1));
  for (std::size_t y = 0; y < d.height; ++y) {
    CHECK(raw[y * (stride + 1)] == 0);
    d.pixels += raw.substr(y * (stride + 1) + 1, stride);
  }
  return d;
}
}  // namespace

TEST_CASE("check values of the sums and of base64") {
  CHECK(report::crc32("123456789") == 0xCBF43926u);
  CHECK(report::crc32("IEND") == 0xAE426082u);
  CHECK(report::crc32("") == 0);
  CHECK(report::adler32("Wikipedia") == 0x11E60398u);
  CHECK(report::adler32("") == 1);
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"},
                                                         {"\xFB\xFF", "+/8="}};
  for (const auto& [plain, coded] : vectors) CHECK(report::base64(plain) == coded);
}

TEST_CASE("pictures come back as they were, also those of several blocks") {
  for (const auto& [width, height, channels] : std::vector<Size>{{1, 1, 1},
                                                                 {1, 1, 3},
                                                                 {5, 3, 3},
                                                                 {32, 32, 3},
                                                                 {224, 224, 3},
                                                                 {65534, 1, 1},
                                                                 {65535, 1, 1},
                                                                 {65534, 2, 1}}) {
    std::vector<std::uint8_t> pixels(std::size_t(width) * height * channels);
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = std::uint8_t(i * i / 7 + 13 * i);
    const Decoded d = decode(report::png(pixels, width, height, channels));
    CHECK(d.types == "IHDR IDAT IEND ");
    CHECK(d.width == std::uint32_t(width));
    CHECK(d.height == std::uint32_t(height));
    CHECK(d.channels == channels);
    CHECK(d.pixels == std::string(pixels.begin(), pixels.end()));
  }
}

TEST_CASE("sizes that do not fit are refused") {
  const std::vector<std::uint8_t> pixels(12);
  for (const Size s : {Size{2, 2, 2}, {2, 2, 4}, {0, 2, 3}, {-2, -2, 3}, {2, 3, 3}, {12, 0, 1}})
    CHECK(support::error_of<ShapeError>([&] {
            report::png(pixels, s.width, s.height, s.channels);
          }).find("png: expected") == 0);
}
