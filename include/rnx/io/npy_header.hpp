// The header of a .npy file (NumPy enhancement proposal 1): a Python dictionary of descr,
// fortran_order and shape, read strictly.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "rnx/core/error.hpp"
#include "rnx/io/file.hpp"

namespace rnx::inline RNX_ABI::io {

/// Element types, by the names of the format without the byte order.
enum class NpyType { f4, f8, i2, i4, i8, u1, u4, b1, i1, u2, u8 };

namespace detail {

struct NpyTypeRow {
  std::string_view descr;
  std::size_t bytes;
};
inline constexpr NpyTypeRow npy_types[] = {{"<f4", 4}, {"<f8", 8}, {"<i2", 2}, {"<i4", 4},
                                           {"<i8", 8}, {"|u1", 1}, {"<u4", 4}, {"|b1", 1},
                                           {"|i1", 1}, {"<u2", 2}, {"<u8", 8}};
inline constexpr std::size_t npy_max_header =
    65535;  // version 1's greatest: what is longer describes records, which are not read
inline constexpr std::size_t npy_max_dimensions = 64;  // NumPy's own

template <class T> constexpr NpyType npy_type_of() {
  static_assert(std::is_arithmetic_v<T>);
  if constexpr (std::is_same_v<T, bool>)
    return NpyType::b1;
  else if constexpr (std::is_floating_point_v<T>)
    return sizeof(T) == 4 ? NpyType::f4 : NpyType::f8;
  else if constexpr (sizeof(T) == 1)
    return std::is_signed_v<T> ? NpyType::i1 : NpyType::u1;
  else if constexpr (sizeof(T) == 2)
    return std::is_signed_v<T> ? NpyType::i2 : NpyType::u2;
  else if constexpr (sizeof(T) == 4)
    return std::is_signed_v<T> ? NpyType::i4 : NpyType::u4;
  else
    return std::is_signed_v<T> ? NpyType::i8 : NpyType::u8;
}

}  // namespace detail

/// The format's name of a type ("<f4") and the bytes of one element.
constexpr std::string_view name_of(NpyType type) {
  return detail::npy_types[static_cast<int>(type)].descr;
}
constexpr std::size_t size_of(NpyType type) {
  return detail::npy_types[static_cast<int>(type)].bytes;
}

/// "(3, 4)", as Python writes it.
inline std::string npy_shape_text(std::span<const std::size_t> shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + (shape.size() == 1 ? ",)" : ")");
}

namespace detail {

/// Reads the dictionary. Errors: FileError for whatever else the text says.
class NpyHeader {
 public:
  NpyHeader(std::string_view text, const std::string& what) : text_(text), what_(what) {
    for (std::size_t i = 0; i < text.size(); ++i)
      if (static_cast<unsigned char>(text[i]) > 126)
        fail("expected ASCII in the header, found byte " +
             std::to_string(static_cast<unsigned char>(text[i])) + " at its byte " +
             std::to_string(i));
    take('{', "a dictionary as header");
    unsigned seen = 0;
    while (!next_is('}')) {
      const std::string key = string("a key in quotes");
      const unsigned bit = key == "descr" ? 1 : key == "fortran_order" ? 2 : key == "shape" ? 4 : 0;
      if (!bit) fail("expected the keys descr, fortran_order and shape, found " + in_quotes(key));
      if (seen & bit) fail("expected " + key + " once, found it twice");
      seen |= bit;
      take(':', "a colon after " + key);
      if (bit == 1)
        read_type();
      else if (bit == 2)
        read_order();
      else
        read_shape();
      if (!next_is(',')) break;
      ++at_;
    }
    take('}', "a comma or the end of the dictionary");
    skip();
    if (at_ < text_.size()) fail("expected nothing after the dictionary, found " + rest());
    for (const auto& [bit, key] :
         {std::pair(1u, "descr"), std::pair(2u, "fortran_order"), std::pair(4u, "shape")})
      if (!(seen & bit))
        fail("expected the keys descr, fortran_order and shape, found no " + std::string(key));
    count_and_bytes();
  }

  NpyType type = NpyType::f4;
  std::vector<std::size_t> shape;
  std::size_t bytes = 0;  ///< of all elements

 private:
  void skip() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r'))
      ++at_;
  }
  bool next_is(char c) {
    skip();
    return at_ < text_.size() && text_[at_] == c;
  }
  std::string rest() const {
    return at_ < text_.size() ? in_quotes(text_.substr(at_, 24)) : "the end of the header";
  }
  void take(char c, const std::string& expected) {
    if (!next_is(c)) fail("expected " + expected + ", found " + rest());
    ++at_;
  }
  bool word(std::string_view w) {
    skip();
    if (text_.substr(at_, w.size()) != w) return false;
    at_ += w.size();
    return true;
  }
  std::string string(const std::string& expected) {
    skip();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    const std::size_t end = quote == '\'' || quote == '"'
                                ? text_.find_first_of(std::string{quote, '\\'}, at_ + 1)
                                : text_.npos;
    if (end == text_.npos || text_[end] != quote)
      fail("expected " + expected + ", found " + rest());
    const std::string found(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return found;
  }
  void read_type() {
    const std::string descr = string("one dtype in quotes as descr");
    const int count = static_cast<int>(std::size(npy_types));
    for (int t = 0; t < count; ++t)
      if (npy_types[t].descr == descr ||
          (npy_types[t].bytes == 1 && "<" + std::string(npy_types[t].descr.substr(1)) == descr)) {
        type = static_cast<NpyType>(t);
        return;
      }
    std::string known;
    for (const NpyTypeRow& row : npy_types) (known += row.descr) += ' ';
    fail("expected one of " + known + "as descr, found " + in_quotes(descr) +
         (descr.starts_with('>') ? ", which is big-endian" : ""));
  }
  void read_order() {
    if (word("True"))
      fail("expected C order, found Fortran order (numpy.ascontiguousarray changes it)");
    if (!word("False")) fail("expected True or False as fortran_order, found " + rest());
  }
  void read_shape() {
    const std::string expected = "a tuple of integers from 0 to 2^63 as shape";
    take('(', expected);
    bool comma = true;
    while (!next_is(')')) {
      const std::size_t begin = at_;
      std::uint64_t value = 0;
      bool fits = comma;
      for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
        fits = fits && value <= ((std::uint64_t(1) << 63) - (text_[at_] - '0')) / 10;
        if (fits) value = 10 * value + (text_[at_] - '0');
      }
      const std::size_t digits = at_ - begin;
      if (digits == 0 || !fits || (digits > 1 && text_[begin] == '0')) {
        at_ = begin;
        fail("expected " + expected + ", found " + rest());
      }
      if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // Python 2 wrote it
      if (shape.size() == npy_max_dimensions)
        fail("expected at most " + std::to_string(npy_max_dimensions) + " dimensions, found more");
      shape.push_back(value);
      comma = next_is(',');
      if (comma) ++at_;
    }
    // (3) is a number in Python, and (,) nothing
    if (shape.size() == 1 && !comma)
      fail("expected a comma after the only dimension, found " + rest());
    ++at_;
  }
  void count_and_bytes() {
    bytes = size_of(type);
    for (const std::size_t d : shape) {
      if (d && bytes > SIZE_MAX / d)
        fail("expected a size below 2^64 bytes, found the shape " + npy_shape_text(shape));
      bytes *= d;
    }
  }
  [[noreturn]] void fail(const std::string& sentence) const {
    throw FileError(what_ + ": " + sentence);
  }

  std::string_view text_;
  const std::string& what_;
  std::size_t at_ = 0;
};

}  // namespace detail
}  // namespace rnx::inline RNX_ABI::io
