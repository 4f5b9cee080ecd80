// Exact fractions: Ratio<1, 10> as a type in specs, Rational at run time (an epsilon of 8/255 stays
// 8/255).
#pragma once

#include <charconv>
#include <cmath>
#include <string>
#include <string_view>

#include "rnx/core/error.hpp"

namespace rnx::inline RNX_ABI {

/// A real hyper-parameter inside a type.
template <long long N, long long D = 1> struct Ratio {
  static_assert(D > 0, "rnx: the denominator of a Ratio must be positive");
  static constexpr double value = double(N) / double(D);
};

/// A number that remembers how it was written: "8/255", "0.031", "2".
struct Rational {
  double numerator = 0, denominator = 1;
  constexpr Rational() = default;
  constexpr Rational(double n, double d = 1) : numerator(n), denominator(d) {}
  constexpr double value() const { return numerator / denominator; }
  constexpr operator double() const { return value(); }

  /// Reads "a/b" or a decimal number, finite. Throws UsageError naming `what`.
  static Rational parse(std::string_view text, std::string_view what = "number") {
    const auto refuse = [&](const char* why) {
      throw UsageError(std::string(what) + ": '" + std::string(text) + "' " + why);
    };
    const auto number = [&](std::string_view part) {
      double v = 0;
      const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), v);
      const bool whole = end == part.data() + part.size();
      if (whole &&
          (error == std::errc::result_out_of_range || (error == std::errc{} && !std::isfinite(v))))
        refuse("is not a finite number");
      if (error != std::errc{} || !whole) refuse("is not a number or a fraction like 8/255");
      return v;
    };
    const auto slash = text.find('/');
    if (slash == std::string_view::npos) return {number(text)};
    const Rational r{number(text.substr(0, slash)), number(text.substr(slash + 1))};
    if (r.denominator == 0) refuse("divides by zero");
    if (!std::isfinite(r.value())) refuse("is not a finite number");
    return r;
  }
};

/// Pixel levels: px(8) is 8/255.
constexpr Rational px(double levels) { return {levels, 255}; }

}  // namespace rnx::inline RNX_ABI
