// How values are distributed: counts in bins between round numbers.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "rnx/report/svg.hpp"

namespace rnx::inline RNX_ISA::report::svg {

struct Histogram {
  std::string title, x_label;
  std::vector<double> values{};
  int bins = 0;  ///< about as many; 0: Sturges' number, log2(n) + 1, from 5 to 20
};

/// Counts between neighbouring edges; an edge belongs to the bin above it, the last one to the bin
/// below.
struct Bins {
  std::vector<double> edges{};
  std::vector<std::size_t> counts{};
  std::size_t missing = 0;  ///< values that are not finite
};

/// Without a value there are no bins.
inline Bins bins(const Histogram& h) {
  Bins b;
  detail::Range range;
  std::size_t n = 0;
  for (const double v : h.values) {
    if (!detail::drawable(v)) continue;
    range.add(v);
    ++n;
  }
  b.missing = h.values.size() - n;
  if (n == 0) return b;
  const int sturges = std::clamp(int(std::log2(double(n))) + 1, 5, 20);
  b.edges =
      nice_ticks(range.low, range.high, h.bins > 0 ? std::min(h.bins, 60) : sturges, range.whole);
  b.counts.resize(b.edges.size() - 1);
  for (const double v : h.values) {
    if (!detail::drawable(v)) continue;
    const auto above = std::upper_bound(b.edges.begin(), b.edges.end(), v) - b.edges.begin();
    ++b.counts[std::size_t(std::clamp<long>(above - 1, 0, long(b.counts.size()) - 1))];
  }
  return b;
}

/// Bars of counts; what has no value is left out, and counted below.
inline std::string histogram_chart(const Histogram& h) {
  using namespace detail;
  constexpr int width = 480, height = 300;
  constexpr double top = 52, bottom = 44, left = 56, right = width - 16;
  std::string out = open(width, height, h.title + ": distribution of " + h.x_label);
  out += label(0, 16, "start", h.title, strong);
  const Bins b = bins(h);
  const std::string note = without_value(width, height - 8, b.missing) + "</svg>\n";
  if (b.counts.empty()) return out + nothing(width, height) + note;

  std::size_t most = 0, n = 0;
  for (const std::size_t c : b.counts) {
    most = std::max(most, c);
    n += c;
  }
  const Axis x{b.edges, left, right}, y{nice_ticks(0, double(most), 4, true), height - bottom, top};
  out += hairlines(y, left, right, false);
  const std::size_t apart = (b.edges.size() + 7) / 8;  // as many numbers as have room
  for (std::size_t k = 0; k < b.edges.size(); k += apart)
    out += tick_below(x(b.edges[k]), height - bottom, tick_text(b.edges, b.edges[k], false));
  for (std::size_t k = 0; k < b.counts.size(); ++k) {
    if (b.counts[k] == 0) continue;
    const double from = x(b.edges[k]), to = x(b.edges[k + 1]), head = y(double(b.counts[k]));
    out +=
        "<rect x=\"" + at(from + 0.5) + "\" y=\"" + at(head) + "\" width=\"" + at(to - from - 1) +
        "\" height=\"" + at(height - bottom - head) + "\" fill=\"" + colours[0] +
        "\" fill-opacity=\"0.85\"><title>" +
        text::html(text::shortest(b.edges[k]) + " to " + text::shortest(b.edges[k + 1]) + ": " +
                   text::grouped((long long)b.counts[k]) + " of " + text::grouped((long long)n)) +
        "</title></rect>\n";
  }
  out += label((left + right) / 2, height - 8, "middle", h.x_label, muted);
  out += label(0, 34, "start", "count of " + text::grouped((long long)n), muted);
  return out + note;
}

}  // namespace rnx::inline RNX_ISA::report::svg
