// Any bytes: SafetensorsFile::parse accepts them or throws FileError. What it accepts is read,
// written again and read again: equal.
#include <cstring>

#include "check.hpp"
#include "rnx/io/safetensors.hpp"

namespace {

template <class T>
void read_values(const rnx::io::SafetensorsFile& file, const rnx::io::Entry& entry) {
  try {
    check(file.values<T>(entry).size() == (entry.end - entry.begin) / rnx::io::size_of(entry.dtype),
          "one value per element");
  } catch (const rnx::FileError&) {  // a value beyond the range of T
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) try {
  using namespace rnx::io;
  const auto file = SafetensorsFile::parse(as_input(data, size), "input");
  std::vector<OutTensor> tensors;
  for (const Entry& e : file.entries()) {
    check(file.find(e.name) == &e, "every tensor is found by its name");
    read_values<float>(file, e);
    read_values<double>(file, e);
    read_values<std::int16_t>(file, e);
    read_values<std::uint64_t>(file, e);
    tensors.push_back({e.name, e.dtype, e.shape, file.bytes(e).data()});
  }
  std::string text = safetensors_header(tensors, file.metadata());
  check(text.size() % 8 == 0, "data begin at a multiple of 8 bytes");
  for (const OutTensor& t : tensors)
    if (t.bytes()) text.append(static_cast<const char*>(t.data), t.bytes());
  const auto again = SafetensorsFile::parse(std::as_bytes(std::span(text)), "written");
  check(again.entries() == file.entries(), "entries are equal");
  check(again.metadata() == file.metadata(), "metadata are equal");
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto a = file.bytes(file.entries()[i]), b = again.bytes(again.entries()[i]);
    check(a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0, "data are equal");
  }
  return 0;
} catch (const rnx::FileError& error) {
  check(one_sentence(error.what()), "an error is one line");
  return 0;
}
