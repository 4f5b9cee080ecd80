// Small JPEG and PNG files in memory, written with the libraries that read them.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#ifdef RNX_HAS_JPEG
#include <jpeglib.h>
#endif
#ifdef RNX_HAS_PNG
#include <png.h>
#endif

namespace support {

inline std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

#ifdef RNX_HAS_JPEG
/// Pixels (h, w, c) with c 1 (grey), 3 (RGB) or 4 (CMYK, inverted as Adobe's programs store it).
inline std::string encode_jpeg(int h, int w, int c, const std::vector<std::uint8_t>& pixels,
                               bool progressive = false, int quality = 95) {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors;
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &buffer, &size);
  jpeg.image_width = unsigned(w);
  jpeg.image_height = unsigned(h);
  jpeg.input_components = c;
  jpeg.in_color_space = c == 1 ? JCS_GRAYSCALE : c == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, quality, TRUE);
  for (int k = 0; k < jpeg.num_components; ++k)
    jpeg.comp_info[k].h_samp_factor = jpeg.comp_info[k].v_samp_factor = 1;
  if (progressive) jpeg_simple_progression(&jpeg);
  jpeg_start_compress(&jpeg, TRUE);
  while (jpeg.next_scanline < jpeg.image_height) {
    JSAMPROW row =
        const_cast<std::uint8_t*>(pixels.data()) + std::size_t(jpeg.next_scanline) * w * c;
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  std::string bytes(reinterpret_cast<char*>(buffer), size);
  jpeg_destroy_compress(&jpeg);
  std::free(buffer);
  return bytes;
}
#endif

#ifdef RNX_HAS_PNG
/// Rows as the format has them: `type` is PNG_COLOR_TYPE_..., `depth` bits per channel (16:
/// big-endian). Palette colours in threes.
inline std::string encode_png(int h, int w, int type, int depth,
                              const std::vector<std::uint8_t>& rows, bool interlaced = false,
                              const std::vector<std::uint8_t>& palette = {},
                              bool transparent = false) {
  std::string bytes;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &bytes,
      [](png_structp p, png_bytep from, std::size_t n) {
        static_cast<std::string*>(png_get_io_ptr(p))->append(reinterpret_cast<char*>(from), n);
      },
      nullptr);
  png_set_IHDR(png, info, unsigned(w), unsigned(h), depth, type,
               interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  std::vector<png_color> colours;
  for (std::size_t i = 0; i + 2 < palette.size(); i += 3)
    colours.push_back({palette[i], palette[i + 1], palette[i + 2]});
  if (!colours.empty()) png_set_PLTE(png, info, colours.data(), int(colours.size()));
  png_byte half = 128;
  if (transparent) png_set_tRNS(png, info, &half, 1, nullptr);
  std::vector<png_bytep> lines;
  const std::size_t row = rows.size() / h;
  for (int y = 0; y < h; ++y) lines.push_back(const_cast<png_bytep>(rows.data()) + y * row);
  png_set_rows(png, info, lines.data());
  png_write_png(png, info, PNG_TRANSFORM_IDENTITY, nullptr);
  png_destroy_write_struct(&png, &info);
  return bytes;
}

/// 8-bit grey (c 1) or RGB (c 3) from (h, w, c).
inline std::string encode_png(int h, int w, int c, const std::vector<std::uint8_t>& pixels) {
  return encode_png(h, w, c == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, 8, pixels);
}
#endif

}  // namespace support
