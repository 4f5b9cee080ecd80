// Bars with the whiskers of their intervals.
#pragma once

#include <string>
#include <vector>

#include "rnx/eval/interval.hpp"
#include "rnx/report/svg.hpp"

namespace rnx::inline RNX_ISA::report::svg {

/// One bar: a share with its 95 % interval.
struct Bar {
  std::string label;
  eval::Proportion share;
  int colour = 0;      ///< of `colours`
  double opacity = 1;  ///< lower for what is only part of the story
};
struct BarGroup {
  std::string label;  ///< above its bars; may be empty
  std::vector<Bar> bars;
};

/// Horizontal bars in groups, from 0 to 100 %, with whiskers over the Wilson 95 % interval and the
/// numbers beside them.
inline std::string bar_chart(const std::string& title, const std::vector<BarGroup>& groups) {
  using namespace detail;
  constexpr double width = 820, left = 208, right = 634, row = 24, head = 30, top = 8;
  double height = top + 34;
  for (const BarGroup& g : groups)
    height += (g.label.empty() ? 0 : head) + row * double(g.bars.size());
  std::string out = open(int(width), int(height), title);
  const Axis x{{0, 1}, left, right};
  for (const double v : {0., .25, .5, .75, 1.}) {
    out += line(x(v), top, x(v), height - 28, grid);
    out += label(x(v), height - 12, "middle", text::fixed(100 * v, 0) + "\u00A0%", muted);
  }
  double y = top;
  for (const BarGroup& g : groups) {
    if (!g.label.empty()) {
      out += label(0, y + 20, "start", text::cut(g.label, 80), strong);
      y += head;
    }
    for (const Bar& b : g.bars) {
      const eval::Interval i = b.share.interval();
      const double middle = y + row / 2;
      out += label(left - 12, middle + 4, "end", text::cut(b.label, 30), muted);
      out += "<rect x=\"" + at(left) + "\" y=\"" + at(middle - 7) + "\" width=\"" +
             at(x(b.share.value()) - left) + "\" height=\"14\" fill=\"" +
             colours[std::size_t(b.colour) % colours.size()] + "\" fill-opacity=\"" +
             at(b.opacity) + "\"><title>" +
             text::html(g.label + (g.label.empty() ? "" : ", ") + b.label + ": " +
                        text::grouped(b.share.right) + " of " + text::grouped(b.share.n)) +
             "</title></rect>\n";
      constexpr std::string_view whisker = "stroke=\"currentColor\" stroke-width=\"1.5\"";
      out += line(x(i.low), middle, x(i.high), middle, whisker);
      for (const double end : {i.low, i.high})
        out += line(x(end), middle - 4, x(end), middle + 4, whisker);
      out += label(right + 70, middle + 4, "end", text::percent(b.share), " font-weight=\"600\"");
      out += label(right + 82, middle + 4, "start", text::percent_interval(b.share), muted);
      y += row;
    }
  }
  return out + "</svg>\n";
}

}  // namespace rnx::inline RNX_ISA::report::svg
