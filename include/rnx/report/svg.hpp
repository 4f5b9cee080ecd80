// What charts are drawn with, as SVG: axes with round numbers, lines, labels. No scripts, no fonts,
// nothing from elsewhere. Text and grid take the colour of the surrounding page
// (currentColor) and series have colours of middle lightness, so that a chart reads on light and on
// dark paper.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "rnx/report/text.hpp"

namespace rnx::inline RNX_ISA::report::svg {

inline constexpr std::array colours{"#2f7ec7", "#c9711a", "#2e9560",
                                    "#9a6bc9", "#d64550", "#858b94"};

/// Round numbers (1, 2 or 5 times a power of ten apart) that cover [low, high], about `count` of
/// them. `whole`: no fractions.
inline std::vector<double> nice_ticks(double low, double high, int count, bool whole = false) {
  // Equal, or apart by rounding only: a range around them. The difference must leave room for
  // distinct ticks.
  if (!(high - low > 1e-9 * std::max(std::abs(low), std::abs(high)))) {
    low -= std::max(0.5, std::abs(low) / 2);
    high += std::max(0.5, std::abs(high) / 2);
  }
  const double rough = (high - low) / count, power = std::pow(10, std::floor(std::log10(rough)));
  double step = rough <= power       ? power
                : rough <= 2 * power ? 2 * power
                : rough <= 5 * power ? 5 * power
                                     : 10 * power;
  if (whole) step = std::max(step, 1.0);
  std::vector<double> ticks;
  const double first = std::floor(low / step + 1e-9), last = std::ceil(high / step - 1e-9);
  for (double k = first; k <= last && ticks.size() < 64; ++k) ticks.push_back(k * step);
  return ticks;
}

namespace detail {

inline bool drawable(double v) { return std::abs(v) < 1e100; }  // false for NaN too

inline std::string at(double v) { return text::shortest(std::round(v * 100) / 100); }

/// One text element. `anchor`: start, middle or end.
inline std::string label(double x, double y, std::string_view anchor, std::string_view words,
                         std::string_view more = "") {
  return "<text x=\"" + at(x) + "\" y=\"" + at(y) + "\" text-anchor=\"" + std::string(anchor) +
         "\"" + std::string(more) + ">" + text::html(words) + "</text>\n";
}
inline std::string line(double x1, double y1, double x2, double y2, std::string_view more) {
  return "<line x1=\"" + at(x1) + "\" y1=\"" + at(y1) + "\" x2=\"" + at(x2) + "\" y2=\"" + at(y2) +
         "\" " + std::string(more) + "/>\n";
}
inline constexpr std::string_view muted = " fill-opacity=\"0.7\"",
                                  strong = " font-weight=\"600\" font-size=\"14\"",
                                  grid = "stroke=\"currentColor\" stroke-opacity=\"0.14\"";

/// Room at the right for names of that many letters, in bold.
inline double name_room(std::size_t letters) { return 12 + 7.6 * double(letters); }

inline std::string open(int width, int height, std::string_view title) {
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + std::to_string(width) + " " +
         std::to_string(height) +
         "\" role=\"img\" font-family=\"system-ui, sans-serif\" font-size=\"12\" "
         "fill=\"currentColor\">\n<title>" +
         text::html(title) + "</title>\n";
}

/// Where data lies on paper, along one axis.
struct Axis {
  std::vector<double> ticks;
  double from, to;  ///< on paper
  double operator()(double v) const {
    return from + (v - ticks.front()) / (ticks.back() - ticks.front()) * (to - from);
  }
};

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  bool whole = true;
  void add(double v) {
    low = std::min(low, v);
    high = std::max(high, v);
    whole = whole && v == std::floor(v);
  }
};

/// Decimals that tell neighbouring ticks apart.
inline std::string tick_text(const std::vector<double>& ticks, double v, bool percent) {
  const double scale = percent ? 100 : 1, step = scale * (ticks[1] - ticks[0]);
  if (step >= 1e6 || step < 1e-6) return text::shortest(scale * v) + (percent ? "\u00A0%" : "");
  return text::fixed(scale * v, std::max(0, int(std::ceil(-std::log10(step) - 1e-9)))) +
         (percent ? "\u00A0%" : "");
}

/// Hairlines across the paper, with their numbers at the left.
inline std::string hairlines(const Axis& y, double left, double right, bool percent) {
  std::string out;
  for (const double v : y.ticks) {
    out += line(left, y(v), right, y(v), grid);
    out += label(left - 8, y(v) + 4, "end", tick_text(y.ticks, v, percent), muted);
  }
  return out;
}
/// A tick below the paper and its number.
inline std::string tick_below(double x, double bottom, std::string_view number) {
  return line(x, bottom, x, bottom + 4, "stroke=\"currentColor\" stroke-opacity=\"0.5\"") +
         label(x, bottom + 18, "middle", number, muted);
}
/// The caption's count of what is not drawn; nothing where all is.
inline std::string without_value(double right, double y, std::size_t count) {
  if (count == 0) return "";
  return label(right, y, "end", std::to_string(count) + " without a value",
               " fill-opacity=\"0.7\" font-size=\"11\"");
}
inline std::string nothing(int width, int height) {
  return label(width / 2., height / 2., "middle", "no measurements", muted);
}

}  // namespace detail

}  // namespace rnx::inline RNX_ISA::report::svg
