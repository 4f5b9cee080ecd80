// Pictures from JPEG and PNG files. Each format needs a library: the CMake target rnx::images finds
// them, links them and defines RNX_HAS_JPEG and RNX_HAS_PNG. Without one this header compiles, and
// a picture of its format is refused in one sentence.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <utility>

#include "rnx/data/jpeg.hpp"
#include "rnx/data/picture.hpp"
#include "rnx/data/png.hpp"

// What a program can read is a part of the names below: object files with other macros link, and
// each reads what it was compiled for.
#if defined(RNX_HAS_JPEG) && defined(RNX_HAS_PNG)
#define RNX_CODECS codecs_jpeg_png
#elif defined(RNX_HAS_JPEG)
#define RNX_CODECS codecs_jpeg
#elif defined(RNX_HAS_PNG)
#define RNX_CODECS codecs_png
#else
#define RNX_CODECS codecs_none
#endif

namespace rnx::inline RNX_ISA::data {
inline namespace RNX_CODECS {

struct DecodeOptions {
  int channels = 3;  ///< 1 or 3: grey is repeated, colours are weighted (with_channels)
  /// above 0: a JPEG is decoded to a half, quarter or eighth of its size as long as its shorter
  /// side has so many pixels
  int enough = 0;
  /// height times width, which is looked at before memory is allocated
  long max_pixels = 100'000'000;
};

namespace image_detail {

/// use() of the decoder for these bytes, whose size was checked.
template <class Result, class Use>
Result with_decoder(std::span<const std::byte> bytes, const std::string& what, long max_pixels,
                    const Use& use) {
  const auto starts = [&](const char* magic, std::size_t count) {
    return bytes.size() >= count && std::memcmp(bytes.data(), magic, count) == 0;
  };
  [[maybe_unused]] const auto open = [&](auto&& decoder) -> Result {
    const long h = decoder.h(), w = decoder.w();
    require<FileError>(h > 0 && w > 0 && h <= max_pixels / w, [&] {
      return what + ": expected an image of 1 to " + std::to_string(max_pixels) +
             " pixels, found " + std::to_string(h) + " x " + std::to_string(w);
    });
    return use(decoder);
  };
  [[maybe_unused]] const auto missing = [&](const std::string& format, const std::string& library) {
    return UsageError(what + ": expected a program with " + library + ", as this is a " + format +
                      " image, found one built without (the CMake target rnx::images links it "
                      "where it is installed)");
  };
  if (starts("\xFF\xD8\xFF", 3)) {
#ifdef RNX_HAS_JPEG
    return open(detail::JpegDecoder(bytes, what));
#else
    throw missing("JPEG", "libjpeg");
#endif
  }
  if (starts("\x89PNG\r\n\x1A\n", 8)) {
#ifdef RNX_HAS_PNG
    return open(detail::PngDecoder(bytes, what));
#else
    throw missing("PNG", "libpng");
#endif
  }
  throw FileError(what + ": expected a JPEG or PNG image, found " +
                  (bytes.empty() ? "an empty file" : "other bytes at its begin"));
}

}  // namespace image_detail

/// Height and width of an image, of which only the header needs to be there. Errors: FileError,
/// UsageError (a format without its library).
inline std::pair<int, int> image_size(std::span<const std::byte> bytes, const std::string& what,
                                      long max_pixels = DecodeOptions{}.max_pixels) {
  return image_detail::with_decoder<std::pair<int, int>>(
      bytes, what, max_pixels, [](auto& decoder) { return std::pair(decoder.h(), decoder.w()); });
}

/// The picture in a JPEG or PNG file, which its first bytes tell, whatever the name; `what` names
/// it in errors. Alpha is dropped; orientation, gamma and colour profiles are not applied. Errors:
/// FileError (another format, a damaged or truncated image, too many pixels); UsageError, as
/// image_size.
inline Picture decode_image(std::span<const std::byte> bytes, const std::string& what,
                            const DecodeOptions& options = {}) {
  return with_channels(image_detail::with_decoder<Picture>(
                           bytes, what, options.max_pixels,
                           [&](auto& decoder) {
                             if constexpr (requires { decoder.picture(options.enough); })
                               return decoder.picture(options.enough);
                             else
                               return decoder.picture();
                           }),
                       options.channels);
}

/// A JPEG file of a picture with 1 or 3 channels; quality: 1 to 100. Errors: UsageError.
inline std::vector<std::byte> encode_jpeg([[maybe_unused]] const Picture& picture,
                                          [[maybe_unused]] int quality) {
#ifdef RNX_HAS_JPEG
  require(quality >= 1 && quality <= 100 && (picture.c == 1 || picture.c == 3) && picture.h > 0 &&
              picture.w > 0 &&
              picture.pixels.size() == std::size_t(picture.h) * picture.w * picture.c,
          "encode_jpeg: expected a quality from 1 to 100 and a picture of 1 or 3 channels");
  const detail::JpegEncoder encoder(picture, quality);
  return {encoder.bytes().begin(), encoder.bytes().end()};
#else
  throw UsageError(
      "encode_jpeg: expected a program with libjpeg, found one built without (the "
      "CMake target rnx::images links it where it is installed)");
#endif
}

}  // namespace RNX_CODECS
}  // namespace rnx::inline RNX_ISA::data
