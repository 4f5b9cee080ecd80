// Numbers and names as text that is the same under every locale, and escaped for HTML.
#pragma once

#include <charconv>
#include <cmath>
#include <string>
#include <string_view>

#include "rnx/eval/interval.hpp"

namespace rnx::inline RNX_ISA::report::text {

/// "3.142"; what is not finite is "-".
inline std::string fixed(double value, int digits) {
  if (!std::isfinite(value) || std::abs(value) > 1e100) return "-";
  char buffer[160];
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, digits).ptr;
  std::string out(buffer, end);
  return out.find_first_not_of("-0.") == out.npos && out[0] == '-' ? out.substr(1)
                                                                   : out;  // no "-0.0"
}

/// Six significant digits at most, without trailing zeros: "0.25", "40", "1e-05".
inline std::string shortest(double value) {
  char buffer[64];
  return {buffer,
          std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::general, 6).ptr};
}

/// "1,234,567"
inline std::string grouped(long long value) {
  std::string out = std::to_string(value);
  for (int at = int(out.size()) - 3; at > int(value < 0); at -= 3)
    out.insert(std::size_t(at), 1, ',');
  return out;
}

/// Three significant digits with a prefix: "41.2 M", "950", "2.6 G".
inline std::string with_prefix(double value) {
  if (std::abs(value) < 1000) return fixed(value, value == std::floor(value) ? 0 : 2);
  const char* prefix = "kMGTPE";
  for (value /= 1000; std::abs(value) >= 999.5 && prefix[1]; ++prefix) value /= 1000;
  return fixed(value, std::abs(value) < 9.995   ? 2
                      : std::abs(value) < 99.95 ? 1
                                                : 0) +
         "\u00A0" + *prefix;
}

/// Decimals of a percentage of n: with them one sample more or less is seen, and they are two at
/// most.
inline int percent_digits(long n) { return n <= 100 ? 0 : n <= 1000 ? 1 : 2; }

/// "84.2 %"
inline std::string percent(const eval::Proportion& p) {
  return p.n == 0 ? "-" : fixed(100 * p.value(), percent_digits(p.n)) + "\u00A0%";
}

/// The 95 % interval: "81.8–86.4 %".
inline std::string percent_interval(const eval::Proportion& p) {
  const eval::Interval i = p.interval();
  return fixed(100 * i.low, percent_digits(p.n)) + "\u2013" +
         fixed(100 * i.high, percent_digits(p.n)) + "\u00A0%";
}

/// For text and quoted attributes of HTML and SVG. Control characters become U+FFFD.
inline std::string html(std::string_view raw) {
  std::string out;
  out.reserve(raw.size());
  for (const char c : raw) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (c == '\'')
      out += "&#39;";
    else if ((byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7F)
      out += "\uFFFD";
    else
      out += c;
  }
  return out;
}

/// At most `letters` letters of UTF-8; what is cut becomes an ellipsis.
inline std::string cut(std::string_view raw, std::size_t letters) {
  std::size_t seen = 0, keep = 0;
  for (std::size_t at = 0; at < raw.size(); ++at) {
    if ((static_cast<unsigned char>(raw[at]) & 0xC0) == 0x80) continue;
    if (++seen == letters) keep = at;  // the last letter that may stay gives way to the ellipsis
    if (seen > letters) return std::string(raw.substr(0, keep)) + "\u2026";
  }
  return std::string(raw);
}

}  // namespace rnx::inline RNX_ISA::report::text
