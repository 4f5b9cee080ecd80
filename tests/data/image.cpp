// Pictures: resizing, and JPEG and PNG files that the tests write themselves, whole and broken.
#include "rnx/data/image.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "rnx/core/rng.hpp"
#include "support/encode.hpp"
#include "support/error_of.hpp"

namespace {

using namespace rnx;
using data::decode_image;
using data::Picture;
using support::bytes_of;

Picture noise(int h, int w, int c) {
  Picture p{h, w, c, {}};
  const rng::Stream random(h * 100 + w, Purpose::test);
  for (std::size_t i = 0; i < std::size_t(h) * w * c; ++i)
    p.pixels.push_back(std::uint8_t(random.bits(i)));
  return p;
}

/// Slow waves: what JPEG keeps well.
[[maybe_unused]] Picture waves(int h, int w, int c) {
  Picture p{h, w, c, {}};
  for (int y = 0; y < h; ++y)
    for (int x = 0; x < w; ++x)
      for (int k = 0; k < c; ++k)
        p.pixels.push_back(
            std::uint8_t(128 + 100 * std::sin(0.05 * x * (k + 1)) * std::cos(0.04 * y)));
  return p;
}

[[maybe_unused]] int worst(const Picture& a, const std::vector<std::uint8_t>& b) {
  REQUIRE(a.pixels.size() == b.size());
  int most = 0;
  for (std::size_t i = 0; i < b.size(); ++i) most = std::max(most, std::abs(a.pixels[i] - b[i]));
  return most;
}

/// The sentence without the name.
[[maybe_unused]] std::string refused(const std::string& bytes, long max_pixels = 1000000) {
  const std::string text = support::error_of<FileError>(
      [&] { decode_image(bytes_of(bytes), "a.img", {.max_pixels = max_pixels}); });
  return text.starts_with("a.img: expected ") ? text.substr(16) : text;
}

}  // namespace

TEST_CASE("resize: an area filter in double gives the same") {
  for (const auto& [h, w, to_h, to_w] :
       {std::tuple{17, 23, 5, 40}, {17, 23, 40, 4}, {64, 48, 32, 32}, {1, 9, 3, 1}, {9, 1, 1, 7}}) {
    const Picture from = noise(h, w, 3), to = data::resize(from, to_h, to_w);
    const auto weights = [](int in, int out, int k) {
      const double scale = double(in) / out, radius = std::max(1.0, scale),
                   center = (k + 0.5) * scale;
      std::vector<double> all(in);
      double sum = 0;
      for (int i = 0; i < in; ++i)
        sum += all[i] = std::max(0.0, 1 - std::abs(i + 0.5 - center) / radius);
      for (double& v : all) v /= sum;
      return all;
    };
    double most = 0;
    for (int y = 0; y < to_h; ++y)
      for (int x = 0; x < to_w; ++x)
        for (int c = 0; c < 3; ++c) {
          const auto down = weights(h, to_h, y), across = weights(w, to_w, x);
          double sum = 0;
          for (int i = 0; i < h; ++i)
            for (int j = 0; j < w; ++j)
              sum += down[i] * across[j] * from.pixels[(i * w + j) * 3 + c];
          most = std::max(most, std::abs(sum - to.pixels[(y * to_w + x) * 3 + c]));
        }
    CHECK(most < 1.01);  // rounded twice
  }
}

TEST_CASE("resize: identity, constants, known values, windows") {
  const Picture from = noise(12, 9, 1);
  CHECK(data::resize(from, 12, 9).pixels == from.pixels);
  const Picture white{5, 7, 3, std::vector<std::uint8_t>(105, 255)};
  for (const std::uint8_t v : data::resize(white, 13, 3).pixels) CHECK(v == 255);
  // four pixels to two: weights 3 3 1 and 1 3 3, over seven
  CHECK(data::resize({1, 4, 1, {0, 100, 200, 44}}, 1, 2).pixels ==
        std::vector<std::uint8_t>{71, 119});
  const Picture whole = data::resize(from, 30, 20);
  const Picture part = data::resize(from, 30, 20, {4, 7, 10, 5});
  for (int y = 0; y < 10; ++y)
    for (int x = 0; x < 5; ++x) CHECK(part.pixels[y * 5 + x] == whole.pixels[(y + 4) * 20 + x + 7]);
  // nothing is computed that is not asked for: the whole would have 2^44 pixels
  CHECK(data::resize({1, 1, 1, {9}}, 1l << 22, 1l << 22, {1 << 20, 1 << 21, 2, 2}).pixels ==
        std::vector<std::uint8_t>(4, 9));
  CHECK(support::error_of<UsageError>([&] {
          data::resize(from, 5, 5, {3, 0, 3, 5});
        }) == "resize: expected a window within 5 x 5, found 3 x 5 at (3, 0)");
  CHECK(support::error_of<UsageError>([&] { data::resize(Picture{}, 5, 5); }) ==
        "resize: expected a picture with pixels, found an empty one");
}

TEST_CASE("channels: grey and colours") {
  const Picture grey = data::with_channels({1, 3, 3, {255, 0, 0, 0, 255, 0, 10, 20, 30}}, 1);
  CHECK(grey.pixels == std::vector<std::uint8_t>{76, 150, 18});
  CHECK(data::with_channels(grey, 3).pixels ==
        std::vector<std::uint8_t>{76, 76, 76, 150, 150, 150, 18, 18, 18});
  CHECK(support::error_of<UsageError>([&] { data::with_channels(grey, 2); }) ==
        "with_channels: expected 1 or 3 channels, found 1 and 2");
}

TEST_CASE("images: what is neither JPEG nor PNG, and a library that is not there") {
  CHECK(refused("") == "a JPEG or PNG image, found an empty file");
  CHECK(refused("GIF89a") == "a JPEG or PNG image, found other bytes at its begin");
  CHECK(refused("\xFF\xD8") == "a JPEG or PNG image, found other bytes at its begin");
  [[maybe_unused]] const auto missing = [](const std::string& bytes) {
    return support::error_of<UsageError>([&] { decode_image(bytes_of(bytes), "a.img"); });
  };
#ifndef RNX_HAS_JPEG
  CHECK(missing("\xFF\xD8\xFF\xE0") ==
        "a.img: expected a program with libjpeg, as this is a JPEG image, found one built without "
        "(the CMake target rnx::images links it where it is installed)");
#endif
#ifndef RNX_HAS_PNG
  CHECK(missing("\x89PNG\r\n\x1A\n") ==
        "a.img: expected a program with libpng, as this is a PNG image, found one built without "
        "(the CMake target rnx::images links it where it is installed)");
#endif
}

#ifdef RNX_HAS_PNG
TEST_CASE("PNG: every layout becomes 8-bit grey or RGB") {
  for (const bool interlaced : {false, true}) {
    const Picture rgb = noise(11, 13, 3), grey = noise(11, 13, 1);
    const auto decode = [&](int type, int depth, const std::vector<std::uint8_t>& rows,
                            int channels, const std::vector<std::uint8_t>& palette = {}) {
      const std::string bytes = support::encode_png(11, 13, type, depth, rows, interlaced, palette);
      CHECK(data::image_size(bytes_of(bytes), "x") == std::pair(11, 13));
      const Picture p = decode_image(bytes_of(bytes), "x", {.channels = channels});
      CHECK((p.h == 11 && p.w == 13 && p.c == channels));
      return p.pixels;
    };
    CHECK(decode(PNG_COLOR_TYPE_RGB, 8, rgb.pixels, 3) == rgb.pixels);
    CHECK(decode(PNG_COLOR_TYPE_GRAY, 8, grey.pixels, 1) == grey.pixels);
    CHECK(decode(PNG_COLOR_TYPE_GRAY, 8, grey.pixels, 3) == data::with_channels(grey, 3).pixels);
    CHECK(decode(PNG_COLOR_TYPE_RGB, 8, rgb.pixels, 1) == data::with_channels(rgb, 1).pixels);
    std::vector<std::uint8_t> alpha, wide, rounded, bits;
    for (std::size_t i = 0; i < rgb.pixels.size(); ++i) {
      alpha.push_back(rgb.pixels[i]);
      if (i % 3 == 2) alpha.push_back(std::uint8_t(i));
      wide.push_back(rgb.pixels[i]);
      wide.push_back(std::uint8_t(i * 31));
      rounded.push_back(
          std::uint8_t(std::lround((256 * rgb.pixels[i] + std::uint8_t(i * 31)) / 257.0)));
    }
    CHECK(decode(PNG_COLOR_TYPE_RGB_ALPHA, 8, alpha, 3) == rgb.pixels);
    CHECK(decode(PNG_COLOR_TYPE_RGB, 16, wide, 3) == rounded);
    // one bit per pixel, two bytes in a row: black and white, and a palette of two colours
    const Picture two = noise(11, 2, 1);
    std::vector<std::uint8_t> black_white, coloured;
    for (int y = 0; y < 11; ++y)
      for (int x = 0; x < 13; ++x) {
        const bool bit = two.pixels[2 * y + x / 8] >> (7 - x % 8) & 1;
        black_white.push_back(bit ? 255 : 0);
        for (int c = 0; c < 3; ++c) coloured.push_back(std::uint8_t(bit ? 40 + c : 200 + c));
      }
    CHECK(decode(PNG_COLOR_TYPE_GRAY, 1, two.pixels, 1) == black_white);
    CHECK(decode(PNG_COLOR_TYPE_PALETTE, 1, two.pixels, 3, {200, 201, 202, 40, 41, 42}) ==
          coloured);
    const std::string transparent =
        support::encode_png(11, 13, PNG_COLOR_TYPE_PALETTE, 1, two.pixels, interlaced,
                            {200, 201, 202, 40, 41, 42}, true);
    CHECK(decode_image(bytes_of(transparent), "x").pixels == coloured);
  }
}

TEST_CASE("PNG: each fault gives its sentence") {
  const Picture p = noise(11, 13, 3);
  const std::string good = support::encode_png(11, 13, 3, p.pixels),
                    fault = "a whole PNG image, found an error: ";
  CHECK(refused(good, 142) == "an image of 1 to 142 pixels, found 11 x 13");
  CHECK(refused(good, 143) == "no error");
  for (std::size_t size = 8; size + 12 < good.size(); ++size)
    CHECK(refused(good.substr(0, size)) == fault + "\"the file ends too early\"");
  std::string bad = good;
  bad[20] ^= 1;  // the width, but not its checksum
  CHECK(refused(bad) == fault + "\"IHDR: CRC error\"");
  CHECK(refused(good.substr(0, 8) + good.substr(33)).starts_with(fault + "\"IDAT: "));
  for (std::size_t i = 60; i + 20 < good.size(); i += 7) {
    bad = good;
    bad[i] ^= 0x55;
    CHECK(refused(bad).starts_with(fault));
  }
}
#endif

#ifdef RNX_HAS_JPEG
TEST_CASE("JPEG: colours, grey, CMYK, progressive") {
  for (const bool progressive : {false, true}) {
    const Picture rgb = waves(50, 70, 3), grey = waves(50, 70, 1), cmyk = waves(50, 70, 4);
    const auto decode = [&](const Picture& p, int channels) {
      const std::string bytes = support::encode_jpeg(p.h, p.w, p.c, p.pixels, progressive);
      CHECK(data::image_size(bytes_of(bytes), "x") == std::pair(50, 70));
      return decode_image(bytes_of(bytes), "x", {.channels = channels});
    };
    CHECK(worst(decode(rgb, 3), rgb.pixels) <= 8);
    CHECK(worst(decode(grey, 1), grey.pixels) <= 4);
    CHECK(worst(decode(grey, 3), data::with_channels(grey, 3).pixels) <= 4);
    CHECK(worst(decode(rgb, 1), data::with_channels(rgb, 1).pixels) <= 8);
    std::vector<std::uint8_t> expected;
    for (std::size_t i = 0; i < cmyk.pixels.size(); i += 4)
      for (int c = 0; c < 3; ++c)
        expected.push_back(std::uint8_t(cmyk.pixels[i + c] * cmyk.pixels[i + 3] / 255));
    CHECK(worst(decode(cmyk, 3), expected) <= 8);
    // the same file without Adobe's marker is the same picture
    std::string plain = support::encode_jpeg(cmyk.h, cmyk.w, 4, cmyk.pixels, progressive);
    const std::size_t adobe = plain.find("\xFF\xEE");
    REQUIRE(adobe != plain.npos);
    plain.erase(adobe, 2 + std::size_t(static_cast<unsigned char>(plain[adobe + 2])) * 256 +
                           static_cast<unsigned char>(plain[adobe + 3]));
    CHECK(decode_image(bytes_of(plain), "x").pixels == decode(cmyk, 3).pixels);
  }
}

TEST_CASE("JPEG: large images are decoded to a fraction of their size") {
  const Picture p = waves(160, 240, 3);
  const std::string bytes = support::encode_jpeg(160, 240, 3, p.pixels);
  for (const auto& [enough, h] : {std::pair{0, 160},
                                  {161, 160},
                                  {160, 160},
                                  {81, 160},
                                  {80, 80},
                                  {41, 80},
                                  {40, 40},
                                  {20, 20},
                                  {1, 20}}) {
    const Picture small = decode_image(bytes_of(bytes), "x", {.enough = enough});
    CHECK(small.h == h);
    CHECK(small.w == h * 3 / 2);
    CHECK(worst(small, data::resize(p, small.h, small.w).pixels) <= 24);
  }
}

TEST_CASE("JPEG: each fault gives its sentence") {
  const Picture p = waves(40, 40, 3);
  const std::string fault = "a whole JPEG image, found an error: ";
  for (const bool progressive : {false, true}) {
    const std::string good = support::encode_jpeg(40, 40, 3, p.pixels, progressive);
    CHECK(refused(good, 1599) == "an image of 1 to 1599 pixels, found 40 x 40");
    CHECK(refused(good, 1600) == "no error");
    CHECK(refused(good.substr(0, 3)).starts_with(fault));
    CHECK(refused(good.substr(0, good.size() / 2)) == fault + "\"Premature end of JPEG file\"");
    CHECK(refused(good.substr(0, good.size() * 9 / 10)) ==
          fault + "\"Premature end of JPEG file\"");
  }
  CHECK(refused("\xFF\xD8\xFF\xD9") == fault + "\"JPEG datastream contains no image\"");
  std::string bytes = support::encode_jpeg(40, 40, 3, p.pixels, true);
  // the last scan again and again: each costs a pass over the image
  const std::size_t scan = bytes.rfind("\xFF\xDA");
  const std::string last = bytes.substr(scan, bytes.size() - 2 - scan);
  bytes.resize(bytes.size() - 2);
  for (int k = 0; k < 300; ++k) bytes += last;
  CHECK(refused(bytes + "\xFF\xD9") == fault + "\"more than 256 scans\"");
}
#endif
