// Writing safetensors files (the format: safetensors.hpp).
#pragma once

#include <set>
#include <span>

#include "rnx/io/safetensors_header.hpp"

namespace rnx::inline RNX_ABI::io {

/// A tensor to be written: row-major elements of `dtype` at `data`, which nobody copies.
struct OutTensor {
  std::string name;
  Dtype dtype = Dtype::F32;
  std::vector<std::size_t> shape;
  const void* data = nullptr;

  std::size_t bytes() const {
    std::size_t size = 0;
    require(detail::tensor_bytes(shape, dtype, size), [&] {
      return "tensor " + in_quotes(name) + ": expected a size below 2^64 bytes, found a larger one";
    });
    return size;
  }
};

/// Length and JSON header, padded with spaces to a multiple of 8 bytes, tensors in the given order.
/// Errors: UsageError (names that are not UTF-8, twice, or "__metadata__"; sizes; a missing
/// pointer).
inline std::string safetensors_header(std::span<const OutTensor> tensors,
                                      const Metadata& metadata = {}) {
  const auto text = [](const std::string& s) {
    require(detail::not_utf8(s) == s.npos, [&] {
      return "expected UTF-8 in names and metadata, found something else at byte " +
             std::to_string(detail::not_utf8(s)) + " of a text";
    });
    return nlohmann::json(s).dump();
  };
  std::string json, separator = "{";
  for (const auto& [key, value] : metadata)
    json += std::exchange(separator, ",") + text(key) + ":" + text(value);
  if (!metadata.empty()) json = "{\"__metadata__\":" + json + "}";
  std::set<std::string_view> names{"__metadata__"};
  separator = metadata.empty() ? "{" : ",";
  std::size_t begin = 0;
  for (const OutTensor& t : tensors) {
    const std::size_t bytes = t.bytes();
    require(names.insert(t.name).second, [&] {
      return "expected each tensor once and none named __metadata__, found " + in_quotes(t.name);
    });
    require(t.data || bytes == 0, [&] {
      return "tensor " + in_quotes(t.name) + ": expected a pointer to its data, found none";
    });
    require(bytes <= (SIZE_MAX >> 1) - begin, [&] {
      return "tensor " + in_quotes(t.name) + ": expected an end below 2^63, found a larger one";
    });
    json += std::exchange(separator, ",") + text(t.name) + ":{\"dtype\":\"" +
            std::string(name_of(t.dtype)) + "\",\"shape\":[";
    for (std::size_t d = 0; d < t.shape.size(); ++d)
      json.append(d ? "," : "").append(std::to_string(t.shape[d]));
    json +=
        "],\"data_offsets\":[" + std::to_string(begin) + "," + std::to_string(begin + bytes) + "]}";
    begin += bytes;
  }
  json += separator == "{" ? "{}" : "}";
  json.append((8 - json.size() % 8) % 8, ' ');
  require(json.size() <= detail::max_header, [&] {
    return "expected a header of at most 100000000 bytes, found " + std::to_string(json.size());
  });
  const std::uint64_t length = json.size();
  return std::string(reinterpret_cast<const char*>(&length), 8) + json;
}

/// Writes a file as a whole: whatever fails, the old file stays as it was. Errors: FileError;
/// UsageError as safetensors_header.
inline void write_safetensors(const std::filesystem::path& path, std::span<const OutTensor> tensors,
                              const Metadata& metadata = {}) {
  const std::string header = safetensors_header(tensors, metadata);
  AtomicFile file(path);
  file.write(header.data(), header.size());
  for (const OutTensor& t : tensors) file.write(t.data, t.bytes());
  file.commit();
}

}  // namespace rnx::inline RNX_ABI::io
