// Numbers as text that every locale writes and reads alike: what printf and strtod do in the C
// locale.
#pragma once

#include <charconv>
#include <string>
#include <string_view>
#include <system_error>

#include "rnx/config.hpp"

namespace rnx::inline RNX_ABI {

/// At most `digits` significant ones, as %.9g: "0.25", "1e-05", "nan".
inline std::string number_text(double value, int digits = 9) {
  char text[64];
  return {text,
          std::to_chars(text, text + sizeof text, value, std::chars_format::general, digits).ptr};
}

/// The shortest decimal text that reads back as the same number.
inline std::string exact_text(double v) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, v).ptr};
}

/// `digits` after the point, as %.4f: "0.2500".
inline std::string fixed_text(double value, int digits) {
  char text[400];  // the greatest double has 309 digits before the point
  return {text,
          std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, digits).ptr};
}

/// Takes a number off the front of `text`, behind spaces. False, and nothing taken, where there is
/// none or it does not fit into V.
template <class V> bool take_number(std::string_view& text, V& value) {
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == text.npos) return false;
  const auto [end, error] = std::from_chars(text.data() + begin, text.data() + text.size(), value);
  if (error != std::errc{}) return false;
  text.remove_prefix(std::size_t(end - text.data()));
  return true;
}

}  // namespace rnx::inline RNX_ABI
