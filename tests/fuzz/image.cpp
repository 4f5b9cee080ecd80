// Any bytes: a picture, or a FileError (UsageError for a format whose library is not there). A
// picture is as large as its header says, and is resized.
#include <cstring>
#include <vector>

#include "check.hpp"
#include "rnx/data/image.hpp"

namespace {

/// Sets the checksums of a PNG's chunks right: a changed byte would always be found there, and
/// nothing behind it.
void set_checksums(std::vector<std::uint8_t>& png) {
  for (std::size_t at = 8; at + 12 <= png.size();) {
    const std::size_t length =
        std::size_t(png[at]) << 24 | png[at + 1] << 16 | png[at + 2] << 8 | png[at + 3];
    if (length > png.size() - at - 12) return;
    std::uint32_t crc = 0xFFFFFFFF;
    for (std::size_t i = at + 4; i < at + 8 + length; ++i) {
      crc ^= png[i];
      for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
    }
    at += length + 12;
    for (int k = 0; k < 4; ++k) png[at - 4 + k] = std::uint8_t(~crc >> (24 - 8 * k));
  }
}

void decode(const std::uint8_t* data, std::size_t size) try {
  const auto bytes = as_input(data, size);
  constexpr long max_pixels = 1 << 14;
  const auto [h, w] = rnx::data::image_size(bytes, "input", max_pixels);
  for (const int channels : {1, 3}) {
    const rnx::data::Picture picture =
        rnx::data::decode_image(bytes, "input", {.channels = channels, .max_pixels = max_pixels});
    check(picture.h == h && picture.w == w && picture.c == channels, "as large as the header says");
    check(picture.pixels.size() == std::size_t(h) * w * channels, "one byte per pixel and channel");
    check(rnx::data::resize(picture, 9, 5).pixels.size() == std::size_t(45 * channels), "resized");
  }
  const rnx::data::Picture small =
      rnx::data::decode_image(bytes, "input", {.enough = 3, .max_pixels = max_pixels});
  check(std::min(small.h, small.w) >= std::min({3, h, w}), "no smaller than is enough");
} catch (const rnx::FileError& error) {
  check(one_sentence(error.what()), "an error is one line");
} catch (const rnx::UsageError& error) {
  check(one_sentence(error.what()), "an error is one line");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  decode(data, size);
  if (size > 8 && std::memcmp(data, "\x89PNG", 4) == 0) {
    std::vector<std::uint8_t> png(data, data + size);
    set_checksums(png);
    decode(png.data(), png.size());
  }
  return 0;
}
