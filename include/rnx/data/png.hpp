// PNG through libpng: compiled where RNX_HAS_PNG is defined, which the CMake target rnx::images
// does.
#pragma once
#ifdef RNX_HAS_PNG

#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <span>
#include <string>

#include <png.h>

#include "rnx/data/picture.hpp"
#include "rnx/io/file.hpp"

namespace rnx::inline RNX_ISA::data::detail {

/// One image. libpng reports errors by a longjmp: it leaves C frames only, and the functions that
/// it lands in have no objects with destructors.
class PngDecoder {
 public:
  PngDecoder(std::span<const std::byte> bytes, const std::string& what)
      : what_(what),
        bytes_(bytes) {
    check(read_header());
  }
  PngDecoder(const PngDecoder&) = delete;
  PngDecoder& operator=(const PngDecoder&) = delete;
  ~PngDecoder() { png_destroy_read_struct(&png_, &info_, nullptr); }

  int h() const { return int(png_get_image_height(png_, info_)); }
  int w() const { return int(png_get_image_width(png_, info_)); }

  /// With 1 or 3 channels: 16 bits are rounded to 8, palettes are looked up, alpha is dropped.
  /// Colour profiles and gamma are not applied.
  Picture picture() {
    check(start());
    Picture out{h(), w(), png_get_channels(png_, info_), {}};
    const std::size_t row = std::size_t(out.w) * out.c;
    if ((out.c != 1 && out.c != 3) || png_get_rowbytes(png_, info_) != row)
      fail("unknown layout of a row");
    out.pixels.resize(out.h * row);
    std::vector<png_bytep> rows(out.h);
    for (int y = 0; y < out.h; ++y) rows[y] = out.pixels.data() + y * row;
    check(read_pixels(rows.data()));
    return out;
  }

 private:
  static void on_error(png_structp png, png_const_charp text) {
    auto* self = static_cast<PngDecoder*>(png_get_error_ptr(png));
    std::snprintf(self->message_, sizeof self->message_, "%s", text);
    std::longjmp(self->jump_, 1);
  }
  static void on_warning(png_structp, png_const_charp) {}
  static void on_read(png_structp png, png_bytep to, std::size_t count) {
    auto* self = static_cast<PngDecoder*>(png_get_io_ptr(png));
    if (count > self->bytes_.size() - self->at_) png_error(png, "the file ends too early");
    std::memcpy(to, self->bytes_.data() + self->at_, count);
    self->at_ += count;
  }

  bool read_header() {
    if (setjmp(jump_)) return false;
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    if (png_) info_ = png_create_info_struct(png_);
    if (!info_) return std::strcpy(message_, "libpng cannot start"), false;
    png_set_read_fn(png_, this, on_read);
    png_set_user_limits(png_, 1'000'000, 1'000'000);
    png_set_chunk_malloc_max(png_, 1 << 20);  // of texts and profiles, which nobody reads
    png_read_info(png_, info_);
    return true;
  }
  bool start() {
    if (setjmp(jump_)) return false;
    png_set_scale_16(png_);
    png_set_palette_to_rgb(png_);
    png_set_expand_gray_1_2_4_to_8(png_);
    png_set_strip_alpha(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }
  bool read_pixels(png_bytepp rows) {
    if (setjmp(jump_)) return false;
    png_read_image(png_, rows);
    return true;
  }
  void check(bool done) {
    if (!done) fail(message_);
  }
  [[noreturn]] void fail(const std::string& message) {
    png_destroy_read_struct(
        &png_, &info_,
        nullptr);  // a constructor that throws has no destructor; a second call does nothing
    throw FileError(what_ +
                    ": expected a whole PNG image, found an error: " + io::in_quotes(message));
  }

  const std::string& what_;
  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::jmp_buf jump_{};
  char message_[256] = {};
};

}  // namespace rnx::inline RNX_ISA::data::detail

#endif  // RNX_HAS_PNG
