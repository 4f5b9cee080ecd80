// Any bytes: NpyFile::parse accepts them or throws FileError. What it accepts is read, written
// again and read again: equal. The same array as the images or the labels of a data set gives
// pixels and labels, or FileError.
#include <cstring>

#include "check.hpp"
#include "rnx/data/npy.hpp"

namespace {

using rnx::io::NpyFile;

template <class F> void may_refuse(F&& f) {
  try {
    f();
  } catch (const rnx::FileError& error) {
    check(one_sentence(error.what()), "an error is one line");
  }
}

template <class T> void read_values(const NpyFile& file) {
  may_refuse([&] { check(file.values<T>().size() == file.count(), "one value per element"); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  may_refuse([&] {
    const NpyFile file = NpyFile::parse(as_input(data, size), "input");
    read_values<float>(file);
    read_values<double>(file);
    read_values<std::int16_t>(file);
    read_values<std::int64_t>(file);
    std::string text = rnx::io::npy_header(file.type(), file.shape());
    check(text.size() % 64 == 0, "elements begin at a multiple of 64 bytes");
    text.append(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
    const NpyFile again = NpyFile::parse(std::as_bytes(std::span(text)), "written");
    check(again.type() == file.type() && again.shape() == file.shape(), "type and shape are equal");
    check(again.bytes().empty() ||
              std::memcmp(again.bytes().data(), file.bytes().data(), file.bytes().size()) == 0,
          "elements are equal");

    may_refuse([&] {
      std::vector<std::int32_t> labels;
      const int classes = rnx::data::detail::npy_classes(file, labels);
      for (const std::int32_t label : labels)
        check(label >= 0 && label < classes, "labels are classes");
    });
    if (file.shape().empty() || file.shape()[0] > 10000) return;
    const std::vector<std::uint8_t> zeros(file.shape()[0]);
    const std::string labels = rnx::io::npy_bytes({zeros.size()}, zeros.data());
    const rnx::data::Images images = rnx::data::detail::npy_images(
        again, NpyFile::parse(std::as_bytes(std::span(labels)), "labels"), size % 3);
    check(images.pixels.size() == images.n * images.dims.count() &&
              images.labels.size() == std::size_t(images.n),
          "one byte per pixel, one label per image");
  });
  return 0;
}
