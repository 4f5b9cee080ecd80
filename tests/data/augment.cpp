// Augmentation: each operation against a computation of its own, pixel by pixel, from the numbers
// of the stream; lists of operations, and what they refuse.
#include "rnx/data/augment.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <set>
#include <tuple>

#include "rnx/data/loader.hpp"
#include "rnx/data/shuffled.hpp"
#include "rnx/data/synthetic.hpp"
#include "support/error_of.hpp"

using namespace rnx;
using data::Augment;
using data::Key;
using support::error_of;

namespace {

data::Images images_of(int n, Dims dims) {
  data::Images images{.n = n, .dims = dims, .classes = 1};
  for (std::size_t i = 0; i < n * dims.count(); ++i)
    images.pixels.push_back(std::uint8_t(1 + (i * 53 + i / 255) % 255));
  images.labels.assign(std::size_t(n), 0);
  return images;
}

std::vector<float> sample_of(const data::Images& images, std::uint32_t id, const Augment& augment,
                             const Key& key) {
  std::vector<float> x(images.dims.count());
  data::make_batch(images, {&id, 1}, augment, key, x.data(), nullptr);
  return x;
}

/// What an operation has to draw from, one number after another.
struct Numbers {
  rng::Stream stream;
  std::uint64_t at;
  Numbers(const Key& key, std::uint32_t id, std::uint64_t first)
      : stream(key.seed, Purpose::augment, key.epoch, std::uint64_t(key.view) * 0x100000000u + id),
        at(first) {}
  std::uint32_t bits() { return stream.bits(at++); }
  double uniform() { return bits() / 4294967296.0; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  int below(std::uint32_t n) {
    for (;;) {
      const std::uint64_t product = std::uint64_t(bits()) * n;
      if (product % 4294967296u >= 4294967296u % n) return int(product / 4294967296u);
    }
  }
};
/// Of the operation on this place of a list, from 0.
constexpr std::uint64_t place(int k) { return (std::uint64_t(k) + 1) * 4294967296u; }

/// Byte / 255 at (y, x, channel), or of what lies there beyond the image.
float seen(const data::Images& images, std::uint32_t id, int y, int x, int k, bool reflect) {
  const int h = images.dims.h, w = images.dims.w;
  if (reflect) {
    y = y < 0 ? -y : y > h - 1 ? 2 * (h - 1) - y : y;
    x = x < 0 ? -x : x > w - 1 ? 2 * (w - 1) - x : x;
  }
  if (y < 0 || y >= h || x < 0 || x >= w) return 0;
  return float(images.pixels[((std::size_t(id) * h + y) * w + x) * images.dims.c + k]) / 255.0f;
}

struct Shift {  // a user's: places the window
  static constexpr const char* name = "shift";
  long rows = 0;
  bool reflect = false;
  static void numbers(auto& self, auto&& each) { each("rows", self.rows); }
  void place(const data::Frame&, data::Placement& p, data::Draws&) const {
    p.top += rows;
    p.reflect = reflect;
  }
};
struct Invert {  // a user's: changes pixels
  static constexpr const char* name = "invert";
  double probability = 0.5;
  static void numbers(auto& self, auto&& each) { each("probability", self.probability); }
  void operator()(View<float, cpu> x, data::Draws& draws) const {
    if (!draws.chance(probability)) return;
    for (std::size_t i = 0; i < x.count(); ++i) x.data[i] = 1 - x.data[i];
  }
};

}  // namespace

TEST_CASE("crops and flips: every pixel, from the stream's numbers") {
  for (const Dims dims : {Dims{3, 8, 7}, Dims{1, 5, 4}, Dims{2, 4, 9}})
    for (const bool reflect : {false, true})
      for (const bool crop : {false, true})
        for (const bool flip : {false, true}) {
          const data::Images images = images_of(40, dims);
          Augment augment;
          if (crop) augment.add(data::RandomCrop{.pad = 3, .reflect = reflect});
          if (flip) augment.add(data::HorizontalFlip{});
          std::set<std::tuple<int, int, bool>> placements;
          int wrong = 0;
          for (std::uint32_t id = 0; id < 40; ++id) {
            const Key key{5, 6 + id % 2, id % 3};
            const std::vector<float> x = sample_of(images, id, augment, key);
            const bool mirrored = flip && Numbers(key, id, 0).bits() >= 1u << 31;
            Numbers numbers(key, id, 1);
            const int top = crop ? numbers.below(7) - 3 : 0, left = crop ? numbers.below(7) - 3 : 0;
            placements.insert({top, left, mirrored});
            for (int y = 0, i = 0; y < dims.h; ++y)
              for (int column = 0; column < dims.w; ++column)
                for (int k = 0; k < dims.c; ++k, ++i) {
                  const int from = mirrored ? dims.w - 1 - column : column;
                  wrong += x[i] != seen(images, id, y + top, from + left, k, crop && reflect);
                }
          }
          CHECK(wrong == 0);
          CHECK(placements.size() >= (crop ? 25 : flip ? 2 : 1));
        }
}

TEST_CASE("crops and flips: all windows are alike, and half of them are mirrored") {
  int flips = 0, tops[9] = {}, lefts[9] = {};
  const data::Frame frame{.h = 32, .w = 32, .sample = {3, 32, 32}};
  for (std::uint32_t id = 0; id < 9000; ++id) {
    const data::Placement p = data::crop_and_flip().place(frame, {1, 0}, id);
    flips += p.flip;
    ++tops[p.top + 4];
    ++lefts[p.left + 4];
  }
  CHECK(std::abs(flips - 4500) < 150);
  for (int k = 0; k < 9; ++k) {
    CHECK(std::abs(tops[k] - 1000) < 100);
    CHECK(std::abs(lefts[k] - 1000) < 100);
  }
}

/// The checksum that the values below were written with: FNV-1a over little-endian words.
static std::uint64_t folded(const void* from, std::size_t count, std::uint64_t h) {
  const auto* bytes = static_cast<const unsigned char*>(from);
  for (; count >= 8; bytes += 8, count -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, 8);
    h = (h ^ word) * 0x100000001B3u;
    h ^= h >> 29;
  }
  for (; count; ++bytes, --count) h = (h ^ *bytes) * 0x100000001B3u;
  return h;
}

TEST_CASE("view 0 has the bits of the augmentation that was no list") {
  // checksums of eleven batches, written by the code before
  const data::Images images = data::synthetic(data::Split::train, 500, 3);
  const data::Memory memory(images);
  const data::Part part(memory, 7, 400);
  const data::Shuffled shuffled(memory, 333);
  const Augment list[] = {{},
                          data::crop_and_flip(),
                          data::HorizontalFlip{},
                          data::RandomCrop{},
                          data::RandomCrop{.pad = 2}};
  const std::uint64_t expected[3][5] = {
      {0x3d8a25346db1fd9eu, 0xe1f0a56dacd9354eu, 0x8321fb0227cfca61u, 0xc7772fe843c59acdu,
       0x399ccec3f0de09c1u},
      {0x5d98edd948f2d111u, 0x3eaad4d99d360fffu, 0x46bff56f43ce5426u, 0xdd7d169e6ec6876eu,
       0x7a95a6df590d73b9u},
      {0x3da12e5cb1a8a407u, 0xb1ac8e7fe859a3a4u, 0xdf687c363ab579f0u, 0x5143b2df42142a09u,
       0x7812c636d7405e29u}};
  const data::Source* sources[] = {&memory, &part, &shuffled};
  for (int s = 0; s < 3; ++s)
    for (int a = 0; a < 5; ++a) {
      data::Loader loader(
          *sources[s], {.batch = 64, .seed = 9, .views = {list[a], Invert{}}, .threads = 2}, 3, 1);
      std::uint64_t h = 0;
      for (int k = 0; k < 11; ++k) {
        const data::Batch& b = loader.next();
        h = folded(b.views[0].data(), b.views[0].size() * 4, h);
        h = folded(b.ids.data(), b.ids.size() * 4, h);
        h = folded(b.labels.data(), b.labels.size() * 4, h);
      }
      CHECK(h == expected[s][a]);
    }
}

TEST_CASE("cutout: squares around drawn pixels, cut at the edge") {
  const data::Images images = images_of(30, {3, 9, 6});
  for (const data::Cutout op : {data::Cutout{.size = 4, .level = 0.25},
                                data::Cutout{.size = 3, .count = 2}, data::Cutout{.size = 40}}) {
    int wrong = 0, kept = 0;
    for (std::uint32_t id = 0; id < 30; ++id) {
      const Key key{3, id, 1};
      const std::vector<float> x = sample_of(images, id, {data::RandomCrop{.pad = 0}, op}, key);
      Numbers numbers(key, id, place(1));
      std::vector<std::pair<int, int>> centres;
      for (int k = 0; k < op.count; ++k) {
        const int y = numbers.below(9);
        centres.emplace_back(y, numbers.below(6));
      }
      for (int y = 0, i = 0; y < 9; ++y)
        for (int column = 0; column < 6; ++column)
          for (int k = 0; k < 3; ++k, ++i) {
            bool covered = false;
            for (const auto& [cy, cx] : centres)
              covered |= y - cy >= -(op.size / 2) && y - cy < op.size - op.size / 2 &&
                         column - cx >= -(op.size / 2) && column - cx < op.size - op.size / 2;
            kept += !covered;
            wrong += x[i] != (covered ? float(op.level) : seen(images, id, y, column, k, false));
          }
    }
    CHECK(wrong == 0);
    CHECK((kept == 0) == (op.size == 40));
  }
}

TEST_CASE("erasing: one rectangle of noise, from the stream's numbers") {
  const data::Images images = images_of(200, {2, 12, 9});
  const data::RandomErasing op{.probability = 0.7};
  int wrong = 0, erased = 0;
  for (std::uint32_t id = 0; id < 200; ++id) {
    const Key key{3, 1, 0};
    const std::vector<float> x = sample_of(images, id, op, key);
    Numbers numbers(key, id, place(0));
    int top = 0, left = 0, h = 0, w = 0;
    if (numbers.uniform() >= 1 - 0.7)
      for (int k = 0; k < 10 && h == 0; ++k) {
        const double area = numbers.uniform(0.02, 0.4) * 108, ratio = numbers.uniform(.3, 1 / .3);
        const int high = int(std::floor(std::sqrt(area * ratio) + 0.5)),
                  wide = int(std::floor(std::sqrt(area / ratio) + 0.5));
        if (high == 0 || wide == 0 || high > 12 || wide > 9) continue;
        h = high;
        w = wide;
        top = numbers.below(std::uint32_t(13 - h));
        left = numbers.below(std::uint32_t(10 - w));
      }
    erased += h > 0;
    for (int y = 0, i = 0; y < 12; ++y)
      for (int column = 0; column < 9; ++column)
        for (int k = 0; k < 2; ++k, ++i) {
          const bool noise = y >= top && y < top + h && column >= left && column < left + w;
          wrong += x[i] != (noise ? float(numbers.bits() / 256) / 16777216.0f
                                  : seen(images, id, y, column, k, false));
        }
  }
  CHECK(wrong == 0);
  CHECK(std::abs(erased - 140) < 25);
}

TEST_CASE("grayscale and jitter: against double precision") {
  const data::Images images = images_of(60, {3, 5, 4});
  const data::ColorJitter op{.brightness = 0.4, .contrast = 0.9, .saturation = 1};
  const auto grey = [](const double* p) { return 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2]; };
  int greys = 0;
  double most = 0;
  for (std::uint32_t id = 0; id < 60; ++id) {
    const Key key{8, 2, 3};
    const std::vector<float> plain = sample_of(images, id, {}, key),
                             g = sample_of(images, id, data::Grayscale{.probability = 0.5}, key),
                             j = sample_of(images, id, op, key);
    std::vector<double> x(plain.begin(), plain.end());
    const bool is_grey = Numbers(key, id, place(0)).uniform() >= 0.5;
    greys += is_grey;
    for (std::size_t i = 0; i < x.size(); ++i)
      most = std::max(most, std::abs(g[i] - (is_grey ? grey(&x[i / 3 * 3]) : x[i])));

    Numbers numbers(key, id, place(0));
    const double factors[] = {numbers.uniform(0.6, 1.4), numbers.uniform(0.1, 1.9),
                              numbers.uniform(0, 2)};
    std::vector<int> order{0, 1, 2};
    std::swap(order[2], order[std::size_t(numbers.below(3))]);
    std::swap(order[1], order[std::size_t(numbers.below(2))]);
    for (const int kind : order) {
      double mean = 0;
      for (int p = 0; p < 20; ++p) mean += grey(&x[3 * p]) / 20;
      for (int p = 0; p < 20; ++p) {
        const double from = kind == 0 ? 0 : kind == 1 ? mean : grey(&x[3 * p]);
        for (int k = 0; k < 3; ++k) {
          const double v = from * (1 - factors[kind]) + x[3 * p + k] * factors[kind];
          x[3 * p + k] = std::min(1.0, std::max(0.0, v));
        }
      }
    }
    for (std::size_t i = 0; i < x.size(); ++i) most = std::max(most, std::abs(j[i] - x[i]));
  }
  CHECK(most < 2e-6);
  CHECK(std::abs(greys - 30) < 15);
  const data::ColorJitter nothing{.brightness = 0, .contrast = 0, .saturation = 0};
  for (std::uint32_t id = 0; id < 9; ++id) {
    CHECK(sample_of(images, id, nothing, {}) == sample_of(images, id, {}, {}));
    CHECK(sample_of(images, id, data::Grayscale{.probability = 0}, {}) ==
          sample_of(images, id, {}, {}));
  }
}

TEST_CASE("lists: a user's operations, their order and what a fingerprint says of them") {
  CHECK(Augment{}.describe() == "none");
  CHECK(Augment{}.empty());
  CHECK(data::crop_and_flip().describe() == "pad 4 crop flip");
  CHECK(Augment{data::RandomCrop{.pad = 2, .reflect = true}}.describe() == "pad 2 reflect crop");
  CHECK(Augment{data::HorizontalFlip{}, data::Cutout{}, Invert{.probability = 0.1}}.describe() ==
        "flip size 16 count 1 level 0.5 cutout probability 0.1 invert");
  CHECK(Augment{data::RandomErasing{}}.describe() ==
        "probability 0.5 area 0.02 to 0.4 ratio 0.3 erasing");
  CHECK(Augment{data::ColorJitter{}, data::Grayscale{}}.describe() ==
        "brightness 0.1 contrast 0.1 saturation 0.1 jitter probability 0.1 grayscale");

  const data::Images images = images_of(6, {1, 4, 3});
  const Key key{1, 2, 0};
  std::set<bool> drawn;
  for (std::uint32_t id = 0; id < 6; ++id) {
    const std::vector<float> plain = sample_of(images, id, {}, key);
    // every operation draws numbers of its own: two that are alike do not do the same
    const bool one = Numbers(key, id, place(1)).uniform() >= 0.5,
               two = Numbers(key, id, place(2)).uniform() >= 0.5;
    drawn.insert(one != two);
    const std::vector<float> x = sample_of(images, id, {Shift{.rows = 1}, Invert{}, Invert{}}, key);
    for (int i = 0; i < 12; ++i) {
      const float moved = i < 9 ? plain[std::size_t(i) + 3] : 0.0f;
      CHECK(x[i] == doctest::Approx(one != two ? 1 - moved : moved));
    }
  }
  CHECK(drawn.size() == 2);

  CHECK(error_of<UsageError>([] {
          Augment{data::Cutout{}, data::RandomCrop{}};
        }) == "Augment: expected crop before operations on pixels, found it behind cutout");
  CHECK(error_of<UsageError>([] { data::crop_and_flip().add(data::HorizontalFlip{}); }) ==
        "Augment: expected flip once, found it twice");
}

TEST_CASE("an augmentation refuses what it cannot do") {
  const data::Images images = images_of(1, {2, 4, 6});
  const auto refused = [&](const Augment& augment) {
    return error_of<UsageError>([&] { sample_of(images, 0, augment, {}); });
  };
  CHECK(refused(data::crop_and_flip(-1)) == "crop: expected a pad from 0 to 6, found -1");
  CHECK(refused(data::crop_and_flip(7)) == "crop: expected a pad from 0 to 6, found 7");
  CHECK(refused(data::RandomCrop{.pad = 4, .reflect = true}) ==
        "crop: expected a pad from 0 to 3, found 4");
  CHECK(refused(data::Cutout{.size = 0}) ==
        "cutout: expected a size and a count of at least 1, found 0 and 1");
  CHECK(refused(data::Cutout{.level = NAN}) == "cutout: expected a level from 0 to 1, found nan");
  CHECK(refused(data::RandomErasing{.probability = 1.5}) ==
        "erasing: expected a probability from 0 to 1, found 1.5");
  CHECK(refused(data::RandomErasing{.least_area = 0.5}) ==
        "erasing: expected shares of the area above 0, up to 1, found 0.5 to 0.4");
  CHECK(refused(data::RandomErasing{.ratio = 0}) ==
        "erasing: expected a ratio above 0, up to 1, found 0");
  CHECK(refused(data::Grayscale{}) == "grayscale: expected samples of 1 or 3 channels, found 2");
  CHECK(refused(data::ColorJitter{}) == "jitter: expected samples of 1 or 3 channels, found 2");
  const data::Images grey = images_of(1, {1, 4, 6});
  CHECK(error_of<UsageError>([&] { sample_of(grey, 0, data::ColorJitter{.contrast = 2}, {}); }) ==
        "jitter: expected a brightness, contrast and saturation from 0 to 1, found 2");
  // a window that is all beyond the picture is zero; mirror images end where they have no more
  for (const float v : sample_of(images, 0, Shift{.rows = 4}, {})) CHECK(v == 0);
  for (const float v : sample_of(images, 0, Shift{.rows = -1000}, {})) CHECK(v == 0);
  CHECK(refused(Shift{.rows = 3, .reflect = true}) == "no error");
  CHECK(refused(Shift{.rows = 4, .reflect = true}) ==
        "Augment: expected a window within the picture of 4 x 6 and its mirror images, found (2, "
        "4, 6) at (4, 0)");
}
