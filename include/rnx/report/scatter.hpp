// Points in a plane, and which of them no other is better than in both directions.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "rnx/report/figure.hpp"
#include "rnx/report/svg.hpp"

namespace rnx::inline RNX_ISA::report::svg {

/// Points of one kind. labels: of each point when pointed at; may be fewer.
struct PointSet {
  std::string name;  ///< at the right, in the set's colour
  std::vector<double> x, y;
  std::vector<std::string> labels{};
};

/// In which direction points are better: x is a cost and y an accuracy unless it says otherwise.
struct Front {
  Better x = Better::lower, y = Better::higher;
};

struct Scatter {
  std::string title, x_label, y_label;
  std::vector<PointSet> sets{};
  std::optional<Front> front{};  ///< each set's Pareto front is drawn
  bool percent = false;          ///< y holds fractions that are shown as percentages
};

namespace detail {
inline bool drawable(const PointSet& s, std::size_t k) {
  return drawable(s.x[k]) && drawable(s.y[k]);
}
inline std::size_t count(const PointSet& s) { return std::min(s.x.size(), s.y.size()); }
}  // namespace detail

/// The points that no other point dominates (is at least as good in both directions and better in
/// one), from the best x to the worst. Equal points are on it together; points without a value are
/// not on it.
inline std::vector<std::size_t> pareto_front(const PointSet& set, const Front& front) {
  const double x_sign = front.x == Better::lower ? 1 : -1,
               y_sign = front.y == Better::lower ? 1 : -1;
  std::vector<std::size_t> order, kept;
  for (std::size_t k = 0; k < detail::count(set); ++k)
    if (detail::drawable(set, k)) order.push_back(k);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const double xa = x_sign * set.x[a], xb = x_sign * set.x[b];
    return xa < xb || (xa == xb && y_sign * set.y[a] < y_sign * set.y[b]);
  });
  for (const std::size_t k : order) {
    const bool better = kept.empty() || y_sign * set.y[k] < y_sign * set.y[kept.back()];
    const bool equal =
        !kept.empty() && set.x[k] == set.x[kept.back()] && set.y[k] == set.y[kept.back()];
    if (better || equal) kept.push_back(k);
  }
  return kept;
}

namespace detail {

/// Points while they are drawn.
class ScatterChart {
 public:
  explicit ScatterChart(const Scatter& scatter) : scatter_(scatter) {
    for (const PointSet& s : scatter.sets) {
      longest_ = std::max(longest_, text::cut(s.name, letters).size());
      for (std::size_t k = 0; k < count(s); ++k) {
        if (!drawable(s, k)) {
          ++missing_;
          continue;
        }
        xs_.add(s.x[k]);
        ys_.add(s.y[k]);
      }
    }
  }

  std::string draw() {
    out_ =
        open(width, height, scatter_.title + ": " + scatter_.y_label + " over " + scatter_.x_label);
    out_ += label(0, 16, "start", scatter_.title, strong);
    const std::string note = without_value(width, height - 8, missing_) + "</svg>\n";
    if (xs_.low > xs_.high) return out_ + nothing(width, height) + note;
    const double right = width - name_room(std::min(longest_, letters));
    const Axis x{nice_ticks(xs_.low, xs_.high, 5, xs_.whole), left, right},
        y{nice_ticks(ys_.low, ys_.high, 4), height - bottom, top};
    out_ += label(0, 34, "start", scatter_.y_label, muted);
    out_ += hairlines(y, left, right, scatter_.percent);
    for (const double v : x.ticks)
      out_ += tick_below(x(v), height - bottom, tick_text(x.ticks, v, false));
    out_ += label((left + right) / 2, height - 8, "middle", scatter_.x_label, muted);
    for (std::size_t s = 0; s < scatter_.sets.size(); ++s) draw_set(s, x, y);
    draw_names(right);
    return out_ + note;
  }

 private:
  static constexpr int width = 480, height = 300;
  static constexpr std::size_t letters = 18;
  static constexpr double top = 52, bottom = 44, left = 56;

  static std::string colour(std::size_t s) { return colours[s % colours.size()]; }

  void draw_set(std::size_t s, const Axis& x, const Axis& y) {
    const PointSet& set = scatter_.sets[s];
    std::vector<bool> on_front(count(set), !scatter_.front);
    if (scatter_.front) {
      std::string path;
      double before = 0;
      for (const std::size_t k : pareto_front(set, *scatter_.front)) {
        on_front[k] = true;
        // what a point dominates ends where the next one begins: a stair
        if (!path.empty()) path += "L" + at(x(set.x[k])) + " " + at(before);
        before = y(set.y[k]);
        path += (path.empty() ? "M" : "L") + at(x(set.x[k])) + " " + at(before);
      }
      if (!path.empty())
        out_ += "<path d=\"" + path + "\" fill=\"none\" stroke=\"" + colour(s) +
                "\" stroke-width=\"1.5\" stroke-opacity=\"0.6\"/>\n";
    }
    for (std::size_t k = 0; k < count(set); ++k)
      if (drawable(set, k))
        out_ += "<circle cx=\"" + at(x(set.x[k])) + "\" cy=\"" + at(y(set.y[k])) +
                "\" r=\"3.5\" fill=\"" + colour(s) + "\" fill-opacity=\"" +
                (on_front[k] ? "0.9" : "0.35") + "\"><title>" + text::html(words(set, k)) +
                "</title></circle>\n";
  }
  std::string words(const PointSet& set, std::size_t k) const {
    const std::string name = k < set.labels.size() ? set.labels[k] : set.name;
    return name + (name.empty() ? "" : ": ") + scatter_.x_label + " " + text::shortest(set.x[k]) +
           ", " + scatter_.y_label + " " +
           (scatter_.percent ? text::fixed(100 * set.y[k], 1) + "\u00A0%"
                             : text::shortest(set.y[k]));
  }
  void draw_names(double right) {
    constexpr double gap = 17;
    const std::size_t room = std::size_t((height - bottom - top) / gap), n = scatter_.sets.size();
    const std::size_t shown = n <= room ? n : room - 1;
    double y = top + 8;
    for (std::size_t s = 0; s < shown; ++s, y += gap)
      out_ += label(right + 8, y, "start", text::cut(scatter_.sets[s].name, letters),
                    " font-weight=\"600\" fill=\"" + colour(s) + "\"");
    if (shown < n) out_ += label(right + 8, y, "start", "+" + std::to_string(n - shown), muted);
  }

  const Scatter& scatter_;
  Range xs_, ys_;
  std::size_t longest_ = 0, missing_ = 0;
  std::string out_;
};

}  // namespace detail

/// Points of several kinds in one plane, each kind in a colour; where there is a front, points
/// behind it are pale. What has no value is left out, and counted below.
inline std::string scatter_chart(const Scatter& scatter) {
  return detail::ScatterChart(scatter).draw();
}

}  // namespace rnx::inline RNX_ISA::report::svg
