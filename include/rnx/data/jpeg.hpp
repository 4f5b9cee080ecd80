// JPEG through libjpeg (libjpeg-turbo): compiled where RNX_HAS_JPEG is defined, which the CMake
// target rnx::images does.
#pragma once
#ifdef RNX_HAS_JPEG

#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>

#include <jpeglib.h>

#include <jerror.h>

#include "rnx/data/picture.hpp"
#include "rnx/io/file.hpp"

namespace rnx::inline RNX_ISA::data::detail {

/// One image. libjpeg reports errors by a longjmp: it leaves C frames only, and the functions that
/// it lands in have no objects with destructors.
class JpegDecoder {
 public:
  JpegDecoder(std::span<const std::byte> bytes, const std::string& what) : what_(what) {
    check(read_header(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
  }
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;
  ~JpegDecoder() { jpeg_destroy_decompress(&jpeg_); }

  int h() const { return int(jpeg_.image_height); }
  int w() const { return int(jpeg_.image_width); }

  /// With 1 or 3 channels. `enough` above 0: the smallest of the whole, half, quarter and eighth
  /// size whose shorter side is no less.
  Picture picture(int enough) {
    const long shorter = std::min(h(), w());
    int eighths = 8;
    while (enough > 0 && eighths > 1 && shorter * (eighths / 2) >= 8L * enough) eighths /= 2;
    check(start(eighths));
    const int channels = jpeg_.output_components;
    Picture out{int(jpeg_.output_height), int(jpeg_.output_width), channels, {}};
    out.pixels.resize(std::size_t(out.h) * out.w * channels);
    check(read_pixels(out.pixels.data(), std::size_t(out.w) * channels));
    if (channels != 4) return out;
    // CMYK is stored inverted, as Adobe's programs do it; PIL and browsers take it so with and
    // without Adobe's marker
    for (std::size_t i = 0; i < std::size_t(out.h) * out.w; ++i)
      for (int c = 0; c < 3; ++c)
        out.pixels[3 * i + c] =
            std::uint8_t((out.pixels[4 * i + c] * out.pixels[4 * i + 3] + 127) / 255);
    out.c = 3;
    out.pixels.resize(std::size_t(out.h) * out.w * 3);
    return out;
  }

 private:
  static constexpr int max_scans =
      256;  // a progressive image has about ten; each costs a pass over the whole image

  static void on_error(j_common_ptr info) {
    auto* self = static_cast<JpegDecoder*>(info->client_data);
    info->err->format_message(info, self->message_);
    std::longjmp(self->jump_, 1);
  }
  static void on_message(j_common_ptr info, int level) {
    if (level < 0 && info->err->msg_code == JWRN_JPEG_EOF)
      on_error(info);  // a truncated file; other warnings leave an image
  }
  static void on_progress(j_common_ptr info) {
    if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= max_scans) return;
    auto* self = static_cast<JpegDecoder*>(info->client_data);
    std::snprintf(self->message_, sizeof self->message_, "more than %d scans", max_scans);
    std::longjmp(self->jump_, 1);
  }

  bool read_header(const unsigned char* bytes, std::size_t size) {
    jpeg_.err = jpeg_std_error(&errors_);
    errors_.error_exit = on_error;
    errors_.emit_message = on_message;
    jpeg_.client_data = this;
    if (setjmp(jump_)) return false;
    jpeg_create_decompress(&jpeg_);
    progress_.progress_monitor = on_progress;
    jpeg_.progress = &progress_;
    jpeg_mem_src(&jpeg_, bytes, static_cast<unsigned long>(size));
    jpeg_read_header(&jpeg_, TRUE);
    return true;
  }
  bool start(int eighths) {
    if (setjmp(jump_)) return false;
    jpeg_.scale_num = eighths;
    jpeg_.scale_denom = 8;
    const J_COLOR_SPACE space = jpeg_.jpeg_color_space;
    jpeg_.out_color_space = space == JCS_GRAYSCALE                   ? JCS_GRAYSCALE
                            : space == JCS_CMYK || space == JCS_YCCK ? JCS_CMYK
                                                                     : JCS_RGB;
    jpeg_start_decompress(&jpeg_);
    return true;
  }
  bool read_pixels(std::uint8_t* to, std::size_t row) {
    if (setjmp(jump_)) return false;
    while (jpeg_.output_scanline < jpeg_.output_height) {
      JSAMPROW line = to + jpeg_.output_scanline * row;
      jpeg_read_scanlines(&jpeg_, &line, 1);
    }
    return true;
  }
  void check(bool done) {
    if (done) return;
    const std::string message = message_;
    jpeg_destroy_decompress(
        &jpeg_);  // a constructor that throws has no destructor; a second call does nothing
    throw FileError(what_ +
                    ": expected a whole JPEG image, found an error: " + io::in_quotes(message));
  }

  const std::string& what_;
  jpeg_decompress_struct jpeg_{};
  jpeg_error_mgr errors_{};
  jpeg_progress_mgr progress_{};
  std::jmp_buf jump_{};
  char message_[JMSG_LENGTH_MAX] = {};
};

/// One baseline image with libjpeg's defaults: colours at half the resolution each way. As above,
/// what longjmp leaves has no destructors.
class JpegEncoder {
 public:
  JpegEncoder(const JpegEncoder&) = delete;
  JpegEncoder& operator=(const JpegEncoder&) = delete;
  JpegEncoder(const Picture& picture, int quality) {
    if (!write(picture.pixels.data(), picture.h, picture.w, picture.c, quality)) {
      const std::string message = message_;
      clear();
      throw UsageError("encode_jpeg: " + message);
    }
  }
  ~JpegEncoder() { clear(); }

  std::span<const std::byte> bytes() const {
    return {reinterpret_cast<const std::byte*>(buffer_), size_};
  }

 private:
  static void on_error(j_common_ptr info) {
    auto* self = static_cast<JpegEncoder*>(info->client_data);
    info->err->format_message(info, self->message_);
    std::longjmp(self->jump_, 1);
  }
  bool write(const std::uint8_t* pixels, int h, int w, int c, int quality) {
    jpeg_.err = jpeg_std_error(&errors_);
    errors_.error_exit = on_error;
    jpeg_.client_data = this;
    if (setjmp(jump_)) return false;
    jpeg_create_compress(&jpeg_);
    jpeg_mem_dest(&jpeg_, &buffer_, &size_);
    jpeg_.image_width = unsigned(w);
    jpeg_.image_height = unsigned(h);
    jpeg_.input_components = c;
    jpeg_.in_color_space = c == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&jpeg_);
    jpeg_set_quality(&jpeg_, quality, TRUE);
    jpeg_start_compress(&jpeg_, TRUE);
    while (jpeg_.next_scanline < jpeg_.image_height) {
      auto* line = const_cast<std::uint8_t*>(pixels) + std::size_t(jpeg_.next_scanline) * w * c;
      jpeg_write_scanlines(&jpeg_, &line, 1);
    }
    jpeg_finish_compress(&jpeg_);
    return true;
  }
  void clear() {
    jpeg_destroy_compress(&jpeg_);
    std::free(buffer_);
    buffer_ = nullptr;
  }

  jpeg_compress_struct jpeg_{};
  jpeg_error_mgr errors_{};
  std::jmp_buf jump_{};
  unsigned char* buffer_ = nullptr;
  unsigned long size_ = 0;
  char message_[JMSG_LENGTH_MAX] = {};
};

}  // namespace rnx::inline RNX_ISA::data::detail

#endif  // RNX_HAS_JPEG
