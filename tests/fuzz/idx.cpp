// Any two files (two bytes say how long the first is): images and labels are read as idx, or there
// is a FileError.
#include "check.hpp"
#include "rnx/data/idx.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) try {
  using rnx::io::InputBytes;
  if (size < 2) return 0;
  const auto all = as_input(data + 2, size - 2);
  const std::size_t first = std::min<std::size_t>(data[0] | data[1] << 8, all.size()),
                    limit = data[0] % 4;
  const rnx::data::Images images = rnx::data::detail::read_idx(
      InputBytes(all.first(first), "images"), InputBytes(all.subspan(first), "labels"), limit);
  check(images.n > 0 && (limit == 0 || std::size_t(images.n) <= limit),
        "as many images as were asked for");
  check(images.pixels.size() == images.n * images.dims.count() &&
            images.labels.size() == std::size_t(images.n),
        "one byte per pixel, one label per image");
  for (const std::int32_t label : images.labels)
    check(label >= 0 && label < images.classes, "labels are classes");
  return 0;
} catch (const rnx::FileError& error) {
  check(one_sentence(error.what()), "an error is one line");
  return 0;
}
