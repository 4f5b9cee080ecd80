// Curves over an axis, with bands of their intervals.
#pragma once

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "rnx/report/figure.hpp"
#include "rnx/report/svg.hpp"

namespace rnx::inline RNX_ISA::report::svg {

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
      return out_ + nothing(width, height) + without_value(width, height - 8, missing_) +
             "</svg>\n";
    // a zero that is near belongs on the paper
    if (ys_.low > 0 && ys_.low < 0.6 * ys_.high) ys_.low = 0;
    right_ = width - name_room(std::min<std::size_t>(longest_, letters));
    Axis x{nice_ticks(xs_.low, xs_.high, 6, xs_.whole), left, right_};
    const Axis y{nice_ticks(ys_.low, ys_.high, 4), height - bottom, top};
    out_ += hairlines(y, left, right_, figure_.percent);
    draw_x_axis(x);
    for (const Line& l : lines_) draw_band(l, x, y);
    for (Line& l : lines_) {
      draw_curve(l, x, y);
      l.label_y = y(l.points.back().y);
    }
    draw_names();
    return out_ + without_value(width, height - 8, missing_) + "</svg>\n";
  }

 private:
  static constexpr int width = 480, height = 280, letters = 18;
  static constexpr double top = 42, bottom = 44, left = 56;
  static constexpr double none = std::numeric_limits<double>::quiet_NaN();
  struct Point {
    double x, y, low = none, high = none;
    bool has_interval() const { return drawable(low) && drawable(high); }
  };
  struct Line {
    std::string name;
    const char* colour;
    std::vector<Point> points;
    double label_y;
  };

  void add(const Curve& c) {
    Line drawn{text::cut(c.name, letters), colours[lines_.size() % colours.size()], {}, 0};
    for (std::size_t k = 0; k < std::min(c.x.size(), c.y.size()); ++k) {
      if (!drawable(c.x[k]) || !drawable(c.y[k])) {
        ++missing_;
        continue;
      }
      Point p{.x = c.x[k], .y = c.y[k]};
      if (k < std::min(c.low.size(), c.high.size())) {
        p.low = c.low[k];
        p.high = c.high[k];
      }
      xs_.add(p.x);
      ys_.add(p.y);
      if (p.has_interval())
        for (const double v : {p.low, p.high}) ys_.add(v);
      drawn.points.push_back(p);
    }
    if (drawn.points.empty()) return;
    longest_ = std::max(longest_, drawn.name.size());
    lines_.push_back(std::move(drawn));
  }
  /// Across, the paper ends where the data does: ticks outside are left out.
  void draw_x_axis(Axis& x) {
    if (xs_.high > xs_.low) {
      std::vector<double> inside;
      for (const double v : x.ticks)
        if (v >= xs_.low && v <= xs_.high) inside.push_back(v);
      const std::vector<double> steps = x.ticks;
      x.ticks = {xs_.low, xs_.high};
      for (const double v : inside)
        out_ += tick_below(x(v), height - bottom, tick_text(steps, v, false));
    } else {
      x.ticks = {xs_.low - 1, xs_.low + 1};
      out_ += label(x(xs_.low), height - bottom + 18, "middle", text::shortest(xs_.low), muted);
    }
    out_ += label((left + right_) / 2, height - 8, "middle", figure_.x_label, muted);
  }
  /// The area between the ends of the intervals; one that stands alone is a whisker.
  void draw_band(const Line& l, const Axis& x, const Axis& y) {
    const auto& p = l.points;
    for (std::size_t from = 0, to; from < p.size(); from = to) {
      for (to = from; to < p.size() && p[to].has_interval();) ++to;
      if (to == from + 1)
        out_ += detail::line(x(p[from].x), y(p[from].low), x(p[from].x), y(p[from].high),
                             "stroke=\"" + std::string(l.colour) + "\" stroke-width=\"1.5\"");
      std::string path;
      const auto draw_to = [&path](double at_x, double at_y) {
        path.append(path.empty() ? "M" : "L").append(at(at_x)).append(" ").append(at(at_y));
      };
      for (std::size_t k = from; k < to; ++k) draw_to(x(p[k].x), y(p[k].high));
      for (std::size_t k = to; k > from; --k) draw_to(x(p[k - 1].x), y(p[k - 1].low));
      if (to > from + 1)
        out_ += "<path d=\"" + path + "Z\" fill=\"" + l.colour + "\" fill-opacity=\"0.18\"/>\n";
      to = std::max(to, from + 1);
    }
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
      out_ +=
          "<circle cx=\"" + at(x(p.x)) + "\" cy=\"" + at(y(p.y)) + "\" r=\"2.5\" fill=\"" +
          l.colour + "\"><title>" +
          text::html(
              l.name + ", " + figure_.x_label + " " + text::shortest(p.x) + ": " + value_text(p.y) +
              (p.has_interval() ? " (" + value_text(p.low) + " to " + value_text(p.high) + ")"
                                : "")) +
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
  std::size_t longest_ = 0, missing_ = 0;
  double right_ = 0;
  std::string out_;
};

}  // namespace detail

/// Curves over a common axis; each carries its name at its right end, in its colour, and a band of
/// its intervals where it has some. Points that were not measured are skipped, and counted below.
inline std::string line_chart(const Figure& figure) { return detail::LineChart(figure).draw(); }

}  // namespace rnx::inline RNX_ISA::report::svg
