// Charts as SVG: lines over an axis, and bars with the whiskers of their intervals. No scripts, no
// fonts, nothing from elsewhere. Text and grid take the colour of the surrounding page
// (currentColor) and series have colours of middle lightness, so that a chart reads on light and on
// dark paper.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "rnx/report/figure.hpp"
#include "rnx/eval/interval.hpp"
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

}  // namespace detail

namespace detail {

/// Curves over a common axis while they are drawn.
class LineChart {
 public:
  explicit LineChart(const Figure& figure) : figure_(figure) {
    for (const Curve& c : figure.curves) add(c);
  }

  std::string draw() {
    out_ = open(width, height, figure_.title + ": " + figure_.y_label + " over " + figure_.x_label);
    out_ += label(0, 16, "start", figure_.title, strong);
    if (lines_.empty())
      return out_ + label(width / 2., height / 2., "middle", "no measurements", muted) + "</svg>\n";
    // a zero that is near belongs on the paper
    if (ys_.low > 0 && ys_.low < 0.6 * ys_.high) ys_.low = 0;
    right_ = width - 12 - 6.6 * double(std::min<std::size_t>(longest_, letters));
    Axis x{nice_ticks(xs_.low, xs_.high, 6, xs_.whole), left, right_};
    const Axis y{nice_ticks(ys_.low, ys_.high, 4), height - bottom, top};
    draw_y_axis(y);
    draw_x_axis(x);
    for (Line& l : lines_) {
      draw_curve(l, x, y);
      l.label_y = y(l.points.back().y);
    }
    draw_names();
    return out_ + "</svg>\n";
  }

 private:
  static constexpr int width = 480, height = 280, letters = 18;
  static constexpr double top = 42, bottom = 44, left = 56;
  struct Point {
    double x, y;
  };
  struct Line {
    std::string name;
    const char* colour;
    std::vector<Point> points;
    double label_y;
  };

  void add(const Curve& c) {
    Line drawn{text::cut(c.name, letters), colours[lines_.size() % colours.size()], {}, 0};
    for (std::size_t k = 0; k < std::min(c.x.size(), c.y.size()); ++k)
      if (drawable(c.x[k]) && drawable(c.y[k])) {
        drawn.points.push_back({c.x[k], c.y[k]});
        xs_.add(c.x[k]);
        ys_.add(c.y[k]);
      }
    if (drawn.points.empty()) return;
    longest_ = std::max(longest_, drawn.name.size());
    lines_.push_back(std::move(drawn));
  }
  void draw_y_axis(const Axis& y) {
    for (const double v : y.ticks) {
      out_ += line(left, y(v), right_, y(v), grid);
      out_ += label(left - 8, y(v) + 4, "end", tick_text(y.ticks, v, figure_.percent), muted);
    }
  }
  /// Across, the paper ends where the data does: ticks outside are left out.
  void draw_x_axis(Axis& x) {
    if (xs_.high > xs_.low) {
      std::vector<double> inside;
      for (const double v : x.ticks)
        if (v >= xs_.low && v <= xs_.high) inside.push_back(v);
      const std::vector<double> steps = x.ticks;
      x.ticks = {xs_.low, xs_.high};
      for (const double v : inside) {
        out_ += line(x(v), height - bottom, x(v), height - bottom + 4,
                     "stroke=\"currentColor\" stroke-opacity=\"0.5\"");
        out_ += label(x(v), height - bottom + 18, "middle", tick_text(steps, v, false), muted);
      }
    } else {
      x.ticks = {xs_.low - 1, xs_.low + 1};
      out_ += label(x(xs_.low), height - bottom + 18, "middle", text::shortest(xs_.low), muted);
    }
    out_ += label((left + right_) / 2, height - 8, "middle", figure_.x_label, muted);
  }
  void draw_curve(const Line& l, const Axis& x, const Axis& y) {
    std::string path;
    for (const Point& p : l.points)
      path += (path.empty() ? "M" : "L") + at(x(p.x)) + " " + at(y(p.y));
    out_ += "<path d=\"" + path + "\" fill=\"none\" stroke=\"" + l.colour +
            "\" stroke-width=\"2\" stroke-linejoin=\"round\" stroke-linecap=\"round\"/>\n";
    if (l.points.size() > 60) return;
    // few enough to be told apart: each says its value when pointed at
    for (const Point& p : l.points)
      out_ += "<circle cx=\"" + at(x(p.x)) + "\" cy=\"" + at(y(p.y)) + "\" r=\"2.5\" fill=\"" +
              l.colour + "\"><title>" +
              text::html(l.name + ", " + figure_.x_label + " " + text::shortest(p.x) + ": " +
                         value_text(p.y)) +
              "</title></circle>\n";
  }
  std::string value_text(double v) const {
    return figure_.percent ? text::fixed(100 * v, 1) + "\u00A0%" : text::shortest(v);
  }
  /// Names at the right ends move apart until none covers another.
  void draw_names() {
    std::stable_sort(lines_.begin(), lines_.end(),
                     [](const Line& a, const Line& b) { return a.label_y < b.label_y; });
    const double gap = std::min(15.0, (height - bottom - top) / double(lines_.size()));
    for (std::size_t k = 1; k < lines_.size(); ++k)
      lines_[k].label_y = std::max(lines_[k].label_y, lines_[k - 1].label_y + gap);
    double lowest = height - bottom;
    for (auto l = lines_.rbegin(); l != lines_.rend(); ++l, lowest -= gap)
      l->label_y = std::min(l->label_y, lowest);
    for (const Line& l : lines_)
      out_ += label(right_ + 8, l.label_y + 4, "start", l.name,
                    " font-weight=\"600\" fill=\"" + std::string(l.colour) + "\"");
  }

  const Figure& figure_;
  std::vector<Line> lines_;
  Range xs_, ys_;
  std::size_t longest_ = 0;
  double right_ = 0;
  std::string out_;
};

}  // namespace detail

/// Curves over a common axis; each carries its name at its right end, in its colour. Points that
/// were not measured are skipped.
inline std::string line_chart(const Figure& figure) { return detail::LineChart(figure).draw(); }

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
