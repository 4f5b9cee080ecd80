// A matrix of numbers in shades: confusions, accuracies over two settings.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "rnx/core/error.hpp"
#include "rnx/core/text.hpp"
#include "rnx/report/svg.hpp"

namespace rnx::inline RNX_ISA::report::svg {

struct HeatMap {
  std::string title, x_label, y_label;
  std::vector<std::string> columns{}, rows{};  ///< their names
  std::vector<double> values{};                ///< row by row; not finite: no value
  bool percent = false;                        ///< fractions that are shown as percentages
};

namespace detail {

/// Cells while they are drawn.
class HeatChart {
 public:
  explicit HeatChart(const HeatMap& map)
      : map_(map),
        columns_(map.columns.size()),
        rows_(map.rows.size()) {
    for (const double v : map.values) {
      if (drawable(v))
        range_.add(v);
      else
        ++missing_;
    }
    std::size_t longest = 0;
    for (const std::string& r : map.rows) longest = std::max(longest, text::cut(r, letters).size());
    left_ = 12 + 6.6 * double(std::min(longest, letters));
    cell_ = std::min(64.0, (width - left_) / double(std::max<std::size_t>(columns_, 1)));
    tall_ = std::min(26.0, cell_);
    bottom_ = top + tall_ * double(rows_);
  }

  std::string draw() {
    const int height = rows_ * columns_ == 0 ? 160 : int(bottom_) + 64;
    out_ = open(width, height, map_.title + ": " + map_.y_label + " by " + map_.x_label);
    out_ += label(0, 16, "start", map_.title, strong);
    const std::string note = without_value(width, height - 8, missing_) + "</svg>\n";
    if (rows_ * columns_ == 0) return out_ + nothing(width, height) + note;
    out_ += label(0, 36, "start", map_.y_label, muted);
    for (std::size_t r = 0; r < rows_; ++r)
      for (std::size_t c = 0; c < columns_; ++c) draw_cell(r, c);
    draw_names();
    out_ +=
        label(left_ + cell_ * double(columns_) / 2, bottom_ + 36, "middle", map_.x_label, muted);
    if (missing_ < map_.values.size()) draw_scale(height - 8);
    return out_ + note;
  }

 private:
  static constexpr int width = 480;
  static constexpr std::size_t letters = 14;
  static constexpr double top = 46, palest = 0.06, darkest = 0.72;

  /// Text stays readable on the darkest shade, on light and on dark paper.
  double shade(double v) const {
    if (range_.high == range_.low) return (palest + darkest) / 2;
    // halves: the difference of two large numbers must not overflow
    const double part = (v / 2 - range_.low / 2) / (range_.high / 2 - range_.low / 2);
    return palest + (darkest - palest) * part;
  }
  std::string number(double v) const {
    return map_.percent ? text::fixed(100 * v, 1) + "\u00A0%" : number_text(v, 3);
  }
  static std::string box(double x, double y, double w, double h) {
    return "<rect x=\"" + at(x) + "\" y=\"" + at(y) + "\" width=\"" + at(w) + "\" height=\"" +
           at(h) + "\" ";
  }
  static std::string filled(double opacity) {
    return "fill=\"" + std::string(colours[0]) + "\" fill-opacity=\"" + at(opacity) + "\"";
  }
  void draw_cell(std::size_t r, std::size_t c) {
    const double v = map_.values[r * columns_ + c], x = left_ + cell_ * double(c),
                 y = top + tall_ * double(r), gap = cell_ > 8 ? 1 : 0;
    const std::string words = map_.rows[r] + ", " + map_.columns[c] + ": " +
                              (drawable(v) ? number(v) : "without a value");
    const std::string look = drawable(v) ? filled(shade(v))
                                         : "fill=\"none\" stroke=\"currentColor\" "
                                           "stroke-opacity=\"0.3\" stroke-dasharray=\"2 2\"";
    out_ += box(x + gap, y + gap, cell_ - 2 * gap, tall_ - 2 * gap) + look + "><title>" +
            text::html(words) + "</title></rect>\n";
    const std::string inside = map_.percent && drawable(v) ? text::fixed(100 * v, 0)
                               : drawable(v)               ? number(v)
                                                           : "";
    if (!inside.empty() && tall_ >= 16 && 6.6 * double(inside.size()) < cell_ - 4)
      out_ += label(x + cell_ / 2, y + tall_ / 2 + 4, "middle", inside, " font-size=\"11\"");
  }
  /// As many as have room.
  void draw_names() {
    const auto apart = [](double size, double needed) {
      return std::size_t(std::max(1.0, std::ceil(needed / size)));
    };
    std::size_t longest = 1;
    for (const std::string& c : map_.columns)
      longest = std::max(longest, text::cut(c, letters).size());
    const double wanted = 8 + 6.6 * double(std::min(longest, letters));
    for (std::size_t c = 0; c < columns_; c += apart(cell_, wanted))
      out_ += label(left_ + cell_ * (double(c) + 0.5), bottom_ + 16, "middle",
                    text::cut(map_.columns[c], letters), muted);
    for (std::size_t r = 0; r < rows_; r += apart(tall_, 14))
      out_ += label(left_ - 8, top + tall_ * (double(r) + 0.5) + 4, "end",
                    text::cut(map_.rows[r], letters), muted);
  }
  void draw_scale(double y) {
    const bool one = range_.high == range_.low;
    const std::string low = number(range_.low);
    out_ += label(0, y, "start", low, muted);
    if (one) return;
    double x = 8 + 6.6 * double(low.size());
    for (int k = 0; k < 5; ++k, x += 14)
      out_ += box(x, y - 9, 14, 10) + filled(palest + (darkest - palest) * k / 4) + "/>\n";
    out_ += label(x + 6, y, "start", number(range_.high), muted);
  }

  const HeatMap& map_;
  std::size_t columns_, rows_, missing_ = 0;
  Range range_;
  double left_ = 0, cell_ = 0, tall_ = 0, bottom_ = 0;
  std::string out_;
};

}  // namespace detail

/// Cells whose shade says their value, with the number inside where there is room; a cell without a
/// value is an empty frame, and counted below. Errors: ShapeError (values that are not rows x
/// columns, more than 65,536).
inline std::string heat_map(const HeatMap& map) {
  const std::size_t cells = map.rows.size() * map.columns.size();
  require<ShapeError>(cells == map.values.size() && cells <= 65536, [&] {
    return "heat map: expected " + std::to_string(map.rows.size()) + " x " +
           std::to_string(map.columns.size()) + " values, at most 65536, found " +
           std::to_string(map.values.size());
  });
  return detail::HeatChart(map).draw();
}

}  // namespace rnx::inline RNX_ISA::report::svg
