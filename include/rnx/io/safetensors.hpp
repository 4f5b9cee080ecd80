// safetensors (https://github.com/huggingface/safetensors): 8 bytes little-endian header length N,
// N bytes of JSON, the tensors' bytes. The reader enforces every rule of the format, and allocates
// for the data only after the header was checked against the file's size.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <new>
#include <span>
#include <type_traits>

#include "rnx/core/text.hpp"
#include "rnx/io/foreign.hpp"
#include "rnx/io/safetensors_header.hpp"
#include "rnx/io/safetensors_write.hpp"

namespace rnx::inline RNX_ABI::io {

static_assert(std::endian::native == std::endian::little,
              "rnx: safetensors files are little-endian, and so must be the machine");

namespace detail {

/// IEEE 754 binary16, given by its bits.
inline float half_to_float(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  const float sign = bits >> 15 ? -1.0f : 1.0f;
  if (exponent == 31)
    return mantissa ? std::numeric_limits<float>::quiet_NaN()
                    : sign * std::numeric_limits<float>::infinity();
  return sign *
         (exponent ? std::ldexp(1.0f + mantissa * 0x1p-10f, exponent - 15) : mantissa * 0x1p-24f);
}
inline float bfloat16_to_float(std::uint16_t bits) {
  return std::bit_cast<float>(std::uint32_t(bits) << 16);
}

/// out = value; false if T has no such number. Floating point rounds, but a finite number never
/// becomes infinite; integers are exact.
template <class T, class V> bool convert(V value, T& out) {
  if constexpr (std::is_floating_point_v<T>) {
    if constexpr (std::is_floating_point_v<V> && sizeof(V) > sizeof(T))
      if (std::isfinite(value) && std::abs(value) > V(std::numeric_limits<T>::max())) return false;
  } else if constexpr (std::is_floating_point_v<V>) {
    const V end = std::ldexp(V(1), std::numeric_limits<T>::digits);
    if (!(value >= V(std::numeric_limits<T>::min()) && value < end && value == std::trunc(value)))
      return false;
  } else if (!std::in_range<T>(value))
    return false;
  out = static_cast<T>(value);
  return true;
}

}  // namespace detail

/// A safetensors file in memory.
class SafetensorsFile {
 public:
  /// Reads a whole file. Errors: FileError, one sentence that names file, tensor, expected and
  /// found.
  static SafetensorsFile read(const std::filesystem::path& path) {
    InputFile file(path);
    std::byte prefix[8] = {};
    file.read(prefix, std::min<std::uint64_t>(8, file.size()));
    std::string header(header_length(prefix, file.size(), file.what()), '\0');
    file.read(header.data(), header.size());
    SafetensorsFile result(header, file.size() - 8 - header.size(), file.what());
    result.allocate(file.size() - 8 - header.size());
    file.read(result.data_.data(), result.data_.size());
    return result;
  }

  /// The same for bytes in memory; `what` names them in errors.
  static SafetensorsFile parse(std::span<const std::byte> bytes, std::string what) {
    std::byte prefix[8] = {};
    std::copy_n(bytes.begin(), std::min<std::size_t>(8, bytes.size()), prefix);
    const std::size_t length = header_length(prefix, bytes.size(), what);
    const auto data = bytes.subspan(8 + length);
    SafetensorsFile result({reinterpret_cast<const char*>(bytes.data()) + 8, length}, data.size(),
                           what);
    result.allocate(data.size());
    std::copy(data.begin(), data.end(), result.data_.begin());
    return result;
  }

  const std::string& what() const { return what_; }
  const std::vector<Entry>& entries() const { return entries_; }  ///< in the order of their data
  const Metadata& metadata() const { return metadata_; }

  /// The tensor of that name, or nullptr.
  const Entry* find(std::string_view name) const {
    const auto at = index_.find(name);
    return at == index_.end() ? nullptr : &entries_[at->second];
  }

  /// Calls each tensor new_name(name). Errors: FileError (two get one name).
  void rename(const std::function<std::string(const std::string&)>& new_name) {
    index_.clear();
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      entries_[i].name = new_name(entries_[i].name);
      require<FileError>(index_.emplace(entries_[i].name, i).second, [&] {
        return what_ + ": two of its tensors would be called " + in_quotes(entries_[i].name);
      });
    }
  }

  /// The bytes of a tensor of this file. Errors: UsageError.
  std::span<const std::byte> bytes(const Entry& entry) const {
    std::size_t size = 0;
    const bool within = entry.begin <= entry.end && entry.end <= data_.size();
    require(within && detail::tensor_bytes(entry.shape, entry.dtype, size) &&
                entry.end - entry.begin == size,
            [&] {
              return what_ + ": tensor " + in_quotes(entry.name) + " does not belong to this file";
            });
    return {data_.data() + entry.begin, entry.end - entry.begin};
  }

  /// The elements of a tensor of this file as T (product(shape) of them, row-major; BOOL is 0 or
  /// 1). Floating point rounds to T.
  /// Errors: FileError, if T cannot hold a value: a finite one beyond the range, or one that is no
  /// integer for an integer T.
  template <class T> std::vector<T> values(const Entry& entry) const {
    static_assert(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>,
                  "rnx: values<T> gives floating-point numbers or integers");
    const std::span<const std::byte> from = bytes(entry);
    std::vector<T> out(from.size() / size_of(entry.dtype));
    const auto all = [&]<class Raw, class Decode>(Raw raw, Decode decode) {
      if constexpr (std::is_same_v<Raw, T> && std::is_same_v<Decode, std::identity>) {
        if (!out.empty()) std::memcpy(out.data(), from.data(), from.size());
      } else {
        for (std::size_t i = 0; i < out.size(); ++i) {
          std::memcpy(&raw, from.data() + i * sizeof raw, sizeof raw);
          if (!detail::convert(decode(raw), out[i])) out_of_range<T>(entry, i, decode(raw));
        }
      }
    };
    switch (entry.dtype) {
      case Dtype::F64: all(double{}, std::identity{}); break;
      case Dtype::F32: all(float{}, std::identity{}); break;
      case Dtype::F16: all(std::uint16_t{}, detail::half_to_float); break;
      case Dtype::BF16: all(std::uint16_t{}, detail::bfloat16_to_float); break;
      case Dtype::I64: all(std::int64_t{}, std::identity{}); break;
      case Dtype::I32: all(std::int32_t{}, std::identity{}); break;
      case Dtype::I16: all(std::int16_t{}, std::identity{}); break;
      case Dtype::I8: all(std::int8_t{}, std::identity{}); break;
      case Dtype::U8: all(std::uint8_t{}, std::identity{}); break;
      case Dtype::BOOL:
        all(std::uint8_t{}, [](std::uint8_t byte) { return std::uint8_t(byte != 0); });
        break;
    }
    return out;
  }

 private:
  static std::size_t header_length(const std::byte (&prefix)[8], std::uint64_t size,
                                   const std::string& what) {
    const auto expect = [&](bool condition, const auto& sentence) {
      require<FileError>(condition, [&] { return what + ": expected " + sentence(); });
    };
    expect(size >= 8, [&] {
      return "at least 8 bytes, found " + std::to_string(size) + (size ? "" : " (an empty file)");
    });
    std::uint64_t length = 0;
    std::memcpy(&length, prefix, 8);
    if (length > detail::max_header || length > size - 8) {
      const std::string foreign = foreign_format({reinterpret_cast<const char*>(prefix), 8});
      expect(foreign.empty(), [&] { return "a safetensors file, found " + foreign; });
    }
    expect(length <= detail::max_header, [&] {
      return "a header of at most 100000000 bytes, found the length " + std::to_string(length);
    });
    expect(length <= size - 8, [&] {
      return "a header of " + std::to_string(length) + " bytes, found " + std::to_string(size - 8) +
             " bytes after its length";
    });
    return length;
  }

  SafetensorsFile(std::string_view header, std::size_t data_size, const std::string& what)
      : what_(what) {
    detail::HeaderEvents events(what_);
    detail::read_header(header, what_, events);
    entries_ = std::move(events.entries);
    metadata_ = std::move(events.metadata);
    index_ = std::move(events.index);
    // by end too: an empty tensor comes before the one that begins where it does
    std::ranges::stable_sort(entries_, std::less{},
                             [](const Entry& e) { return std::pair(e.begin, e.end); });
    std::size_t next = 0;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      check(entries_[i], next, data_size);
      next = entries_[i].end;
      index_.find(entries_[i].name)->second = i;
    }
    require<FileError>(next == data_size, [&] {
      return what_ + ": expected " + std::to_string(next) +
             " bytes of tensors after the header, found " + std::to_string(data_size);
    });
  }

  void check(const Entry& e, std::size_t next, std::size_t data_size) const {
    const auto expect = [&](bool condition, const auto& sentence) {
      require<FileError>(condition, [&] {
        return what_ + ": tensor " + in_quotes(e.name) + ": expected " + sentence();
      });
    };
    const auto offsets = [&] {
      return "data_offsets [" + std::to_string(e.begin) + ", " + std::to_string(e.end) + "]";
    };
    std::size_t size = 0;
    expect(e.begin <= e.end, [&] { return "an end not before the begin, found " + offsets(); });
    expect(e.end <= data_size, [&] {
      return "its end within the " + std::to_string(data_size) + " bytes of data, found " +
             offsets();
    });
    const bool fits = detail::tensor_bytes(e.shape, e.dtype, size);
    expect(fits, [&] {
      return "a size below 2^64 bytes, found a larger product of its shape with " + offsets();
    });
    expect(e.end - e.begin == size, [&] {
      return std::to_string(size) + " bytes for its shape and dtype, found " + offsets();
    });
    expect(e.begin == next, [&] {
      const char* wrong =
          e.begin < next ? ", which overlaps the tensor before it" : ", which leaves a hole";
      return "its begin at byte " + std::to_string(next) + ", found " + offsets() + wrong;
    });
  }

  void allocate(std::size_t size) try { data_.resize(size); } catch (const std::bad_alloc&) {
    throw FileError(what_ + ": expected memory for " + std::to_string(size) +
                    " bytes of data, found less");
  }

  template <class T, class V>
  [[noreturn]] void out_of_range(const Entry& entry, std::size_t i, V value) const {
    const std::string type = (std::is_floating_point_v<T> ? "float"
                              : std::is_signed_v<T>       ? "int"
                                                          : "uint") +
                             std::to_string(8 * sizeof(T));
    std::string found;
    if constexpr (std::is_floating_point_v<V>)
      found = number_text(double(value));
    else
      found = std::to_string(value);
    throw FileError(what_ + ": tensor " + in_quotes(entry.name) +
                    ": expected values that fit into " + type + ", found " + found +
                    " at element " + std::to_string(i));
  }

  std::string what_;
  std::vector<Entry> entries_;
  std::map<std::string, std::size_t, std::less<>> index_;
  Metadata metadata_;
  std::vector<std::byte> data_;
};

}  // namespace rnx::inline RNX_ABI::io
