// The JSON header of a safetensors file: what it may say, read strictly, event by event, so that
// nothing is built that is then rejected.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "rnx/core/error.hpp"
#include "rnx/io/file.hpp"

namespace rnx::inline RNX_ABI::io {

enum class Dtype { F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL };

namespace detail {
struct DtypeRow {
  std::string_view name;
  std::size_t bytes;
};
inline constexpr DtypeRow dtypes[] = {{"F64", 8}, {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"I64", 8},
                                      {"I32", 4}, {"I16", 2}, {"I8", 1},  {"U8", 1},   {"BOOL", 1}};
inline constexpr std::uint64_t max_header = 100'000'000;  // the reference's
}  // namespace detail

/// The format's name of a dtype ("F32") and the bytes of one element.
constexpr std::string_view name_of(Dtype dtype) {
  return detail::dtypes[static_cast<int>(dtype)].name;
}
constexpr std::size_t size_of(Dtype dtype) { return detail::dtypes[static_cast<int>(dtype)].bytes; }

/// One tensor of a file: row-major, bytes [begin, end) of the data that follow the header.
struct Entry {
  std::string name;
  Dtype dtype = Dtype::F32;
  std::vector<std::size_t> shape;
  std::size_t begin = 0, end = 0;
  friend bool operator==(const Entry&, const Entry&) = default;
};

using Metadata = std::map<std::string, std::string>;

namespace detail {

/// Bytes of a tensor; false if the product leaves 64 bits (dimensions are multiplied in order, as
/// the reference does).
inline bool tensor_bytes(const std::vector<std::size_t>& shape, Dtype dtype, std::size_t& bytes) {
  bytes = 1;
  const auto times = [&](std::size_t f) {
    const bool fits = f == 0 || bytes <= SIZE_MAX / f;
    bytes *= f;
    return fits;
  };
  for (const std::size_t d : shape)
    if (!times(d)) return false;
  return times(size_of(dtype));
}

/// The first byte that is not UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above
/// U+10FFFF), or npos.
inline std::size_t not_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = [&](std::size_t k) {
      return k < text.size() ? static_cast<unsigned char>(text[k]) : 0u;
    };
    const unsigned b = byte(i), second = byte(i + 1);
    const int more = b < 0x80                ? 0
                     : b >= 0xC2 && b < 0xE0 ? 1
                     : b >= 0xE0 && b < 0xF0 ? 2
                     : b >= 0xF0 && b < 0xF5 ? 3
                                             : -1;
    if (more < 0) return i;
    for (int k = 1; k <= more; ++k)
      if ((byte(i + k) & 0xC0) != 0x80) return i;
    if ((b == 0xE0 && second < 0xA0) || (b == 0xED && second > 0x9F)) return i;
    if ((b == 0xF0 && second < 0x90) || (b == 0xF4 && second > 0x8F)) return i;
    i += more + 1;
  }
  return std::string_view::npos;
}

/// Receives nlohmann's events. Nesting is at most three deep: what does not belong is rejected
/// where it opens.
class HeaderEvents {
 public:
  explicit HeaderEvents(const std::string& what) : what_(what) {}

  std::vector<Entry> entries;
  std::map<std::string, std::size_t, std::less<>> index;  ///< name -> place in `entries`
  Metadata metadata;

  bool null() { return wrong("null"); }
  bool boolean(bool value) { return wrong(value ? "true" : "false"); }
  bool number_integer(std::int64_t value) {
    return wrong(value == 0 ? "-0" : std::to_string(value));
  }
  bool number_float(double, const std::string& text) {
    return wrong(text.size() > 40 ? text.substr(0, 40) + "..." : text);
  }
  bool number_unsigned(std::uint64_t value) {
    if (value > std::uint64_t(1) << 63) return wrong(std::to_string(value));
    if (where_ == Where::shape) return entries.back().shape.push_back(value), true;
    if (where_ != Where::offsets) return wrong(std::to_string(value));
    if (offsets_ == 2) return wrong("a third number");
    (offsets_++ ? entries.back().end : entries.back().begin) = value;
    return true;
  }
  bool string(std::string& value) {
    if (where_ == Where::metadata) {
      metadata[key_] = std::move(value);
      return true;
    }
    if (where_ != Where::entry || key_ != "dtype") return wrong("the string " + in_quotes(value));
    int d = 0, count = static_cast<int>(std::size(dtypes));
    while (d < count && dtypes[d].name != value) ++d;
    if (d == count) return wrong(in_quotes(value));
    entries.back().dtype = static_cast<Dtype>(d);
    return true;
  }
  template <class Bytes> bool binary(Bytes&) { return wrong("binary data"); }

  bool start_object(std::size_t) {
    if (where_ == Where::outside) {
      where_ = Where::top;
      return true;
    }
    if (where_ != Where::top) return wrong("an object");
    where_ = key_ == "__metadata__" ? Where::metadata : Where::entry;
    if (where_ == Where::metadata) return true;
    seen_ = 0;
    entries.emplace_back().name = key_;
    return true;
  }
  bool key(std::string& key) {
    if (where_ == Where::metadata) {
      if (metadata.contains(key))
        fail("expected each key of __metadata__ once, found " + in_quotes(key) + " twice");
    } else if (where_ == Where::top && key == "__metadata__") {
      if (std::exchange(has_metadata_, true)) fail("expected __metadata__ once, found it twice");
    } else if (where_ == Where::top) {
      if (!index.try_emplace(key, entries.size()).second)
        fail("expected each tensor once, found " + in_quotes(key) + " twice");
    } else {
      const int bit = key == "dtype" ? 1 : key == "shape" ? 2 : key == "data_offsets" ? 4 : 0;
      if (bit == 0)
        fail(tensor() + "expected dtype, shape and data_offsets, found the key " + in_quotes(key));
      if (seen_ & bit) fail(tensor() + "expected " + key + " once, found it twice");
      seen_ |= bit;
    }
    key_ = std::move(key);
    return true;
  }
  bool end_object() {
    if (where_ == Where::entry && seen_ != 7) {
      const char* missing = !(seen_ & 1) ? "dtype" : !(seen_ & 2) ? "shape" : "data_offsets";
      fail(tensor() + "expected dtype, shape and data_offsets, found no " + missing);
    }
    where_ = where_ == Where::top ? Where::outside : Where::top;
    return true;
  }
  bool start_array(std::size_t) {
    if (where_ != Where::entry || key_ == "dtype") return wrong("an array");
    where_ = key_ == "shape" ? Where::shape : Where::offsets;
    offsets_ = 0;
    return true;
  }
  bool end_array() {
    if (where_ == Where::offsets && offsets_ != 2)
      return wrong(std::to_string(offsets_) + " of them");
    where_ = Where::entry;
    return true;
  }
  template <class Exception>
  bool parse_error(std::size_t at, const std::string& token, const Exception& error) {
    if (error.id == 406) return number_float(0, token);  // a number beyond double
    fail("expected JSON in the header, found an error at its byte " + std::to_string(at));
  }

 private:
  enum class Where { outside, top, metadata, entry, shape, offsets };

  std::string tensor() const { return "tensor " + in_quotes(entries.back().name) + ": "; }
  [[noreturn]] void fail(const std::string& sentence) const {
    throw FileError(what_ + ": " + sentence);
  }
  [[noreturn]] bool wrong(const std::string& found) const {
    switch (where_) {
      case Where::outside: fail("expected a JSON object as header, found " + found);
      case Where::top:
        fail(key_ == "__metadata__"
                 ? "__metadata__: expected an object of strings, found " + found
                 : "tensor " + in_quotes(key_) + ": expected an object, found " + found);
      case Where::metadata:
        fail("__metadata__: expected a string for " + in_quotes(key_) + ", found " + found);
      case Where::shape:
        fail(tensor() + "expected integers from 0 to 2^63 in shape, found " + found);
      case Where::offsets: break;
      case Where::entry:
        if (key_ == "shape")
          fail(tensor() + "expected an array of integers as shape, found " + found);
        if (key_ != "dtype") break;
        std::string known;
        for (const DtypeRow& row : dtypes) (known += row.name) += ' ';
        fail(tensor() + "expected one of " + known + "as dtype, found " + found);
    }
    fail(tensor() + "expected two integers from 0 to 2^63 as data_offsets, found " + found);
  }

  const std::string& what_;
  Where where_ = Where::outside;
  std::string key_;
  int seen_ = 0, offsets_ = 0;
  bool has_metadata_ = false;
};

/// Reads `header` into `events`. Errors: FileError for all that the format forbids within the JSON
/// text.
inline void read_header(std::string_view header, const std::string& what, HeaderEvents& events) {
  const auto fail = [&](const std::string& sentence) {
    throw FileError(what + ": expected " + sentence);
  };
  const auto at = [](std::size_t byte) { return " at its byte " + std::to_string(byte); };
  if (header.empty()) fail("a header that starts with {, found an empty one");
  if (header[0] != '{')
    fail("a header that starts with {, found byte " +
         std::to_string(static_cast<unsigned char>(header[0])));
  if (const std::size_t byte = not_utf8(header); byte != header.npos)
    fail("UTF-8 in the header, found something else" + at(byte));
  // nlohmann takes a zero byte for the end of the text
  if (const std::size_t byte = header.find('\0'); byte != header.npos)
    fail("JSON in the header, found a zero byte" + at(byte));
  nlohmann::json::sax_parse(header.data(), header.data() + header.size(), &events);
}

}  // namespace detail
}  // namespace rnx::inline RNX_ABI::io
