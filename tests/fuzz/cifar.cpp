// Any bytes, the first of which picks the format: records of CIFAR, or a FileError.
#include "check.hpp"
#include "rnx/data/cifar.hpp"
#include "rnx/io/bytes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) try {
  using rnx::data::detail::CifarFormat;
  if (size == 0) return 0;
  constexpr CifarFormat formats[] = {{1, 0, 10, ""}, {2, 1, 100, ""}, {2, 0, 20, ""}};
  const CifarFormat& format = formats[data[0] % 3];
  const std::size_t limit = 1 + data[0] / 3 % 4;
  rnx::data::Images images;
  rnx::data::detail::read_cifar(rnx::io::InputBytes(as_input(data + 1, size - 1), "input"), format,
                                limit, images);
  check(images.n > 0 && std::size_t(images.n) <= limit, "as many images as were asked for");
  check(images.pixels.size() == images.n * 3072u && images.labels.size() == std::size_t(images.n),
        "one byte per pixel, one label per image");
  for (const std::int32_t label : images.labels)
    check(label >= 0 && label < format.classes, "labels are classes");
  for (int p = 0; p < 1024; ++p)
    for (int c = 0; c < 3; ++c)
      check(images.pixels[3 * p + c] == data[1 + format.labels + 1024 * c + p],
            "planes become pixels");
  return 0;
} catch (const rnx::FileError& error) {
  check(one_sentence(error.what()), "an error is one line");
  return 0;
}
