// Pieces of report.html: cells, key-value lists, the grid of example images, the table of costs.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "rnx/report/bar_chart.hpp"
#include "rnx/report/line_chart.hpp"
#include "rnx/report/png.hpp"
#include "rnx/report/verdict.hpp"

namespace rnx::inline RNX_ISA::report::detail {

inline std::string small(std::string_view words) {
  return "<small>" + text::html(words) + "</small>";
}
inline std::string number_cell(std::string_view words) {
  return "<td class=\"n\">" + text::html(words) + "</td>";
}
/// A percentage with its interval below it. Without images there is none.
inline std::string share_cell(const eval::Proportion& p, const std::string& note = "") {
  return "<td class=\"n\"><b>" + text::html(text::percent(p)) + "</b>" +
         (p.n == 0 ? "" : small(text::percent_interval(p))) + (note.empty() ? "" : small(note)) +
         "</td>";
}
struct Column {
  std::string name, note = "";
  bool number = false;
};
inline std::string table_head(std::string_view kind, const std::vector<Column>& columns) {
  std::string out = "<table class=\"" + std::string(kind) + "\">\n<thead><tr>";
  for (const Column& c : columns)
    out += "<th scope=\"col\"" + std::string(c.number ? " class=\"n\"" : "") + ">" +
           text::html(c.name) + (c.note.empty() ? "" : small(c.note)) + "</th>";
  return out + "</tr></thead>\n<tbody>\n";
}
/// A table that may be wider than a small screen.
inline std::string wide(const std::string& table) {
  return "<div class=\"wide\">\n" + table + "\n</div>\n";
}

inline std::string html_facts(const Json& facts) {
  std::string out = "<table class=\"facts\"><tbody>\n";
  const auto row = [&](const std::string& key, const Json& value) {
    const std::string words = value.is_string() ? value.get<std::string>() : json_text(value, -1);
    out += "<tr><th scope=\"row\">" + text::html(key) + "</th><td>" + text::html(words) +
           "</td></tr>\n";
  };
  if (facts.is_object())
    for (const auto& [key, value] : facts.items()) row(key, value);
  else
    row("", facts);
  return wide(out + "</tbody></table>");
}

inline std::uint8_t to_byte(double v) {
  return std::uint8_t(std::lround(255 * (v > 0 ? std::min(v, 1.0) : 0.0)));
}  // NaN becomes 0

/// An <img> of values in [0, 1].
template <class Value> std::string html_image(Dims dims, std::string_view alt, Value value) {
  std::vector<std::uint8_t> bytes(dims.count());
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = to_byte(value(i));
  return "<img alt=\"" + text::html(alt) + "\" width=\"" + std::to_string(dims.w) + "\" height=\"" +
         std::to_string(dims.h) + "\" src=\"data:image/png;base64," +
         base64(png(bytes, dims.w, dims.h, dims.c)) + "\"/>";
}

/// The largest of 1, 2, 5, 10, ... that keeps every change of a pixel among the examples within the
/// range of grey; one for all of them.
inline double amplification(const std::vector<Example>& examples) {
  double largest = 0;
  for (const Example& e : examples)
    for (std::size_t i = 0; i < e.clean.size(); ++i)
      if (const double d = std::abs(double(e.adversarial[i]) - e.clean[i]); std::isfinite(d))
        largest = std::max(largest, d);
  double gain = 1;
  for (int k = 0; k < 9 && largest > 0; ++k)
    if (const double next = std::pow(10, k / 3) * std::array{1, 2, 5}[std::size_t(k % 3)];
        next * largest <= 0.5)
      gain = next;
  return gain;
}

inline std::string html_examples(const Report& report, const ModelReport& m) {
  if (m.examples.empty()) return "";
  const auto name = [&](int c) {
    return c >= 0 && std::size_t(c) < report.class_names.size() ? report.class_names[std::size_t(c)]
                                                                : "class " + std::to_string(c);
  };
  const double gain = amplification(m.examples);
  const std::string times = "\u00D7\u2009" + text::fixed(gain, 0);
  std::string out = "<h3>Examples</h3>\n<div class=\"examples\">\n";
  for (const Example& e : m.examples) {
    const auto prediction = [&](int c) {
      return "<span class=\"" + std::string(c == e.label ? "right" : "wrong") + "\">" +
             text::html(name(c)) + "</span>";
    };
    const std::string which = "image " + std::to_string(e.index);
    out += "<figure><figcaption><b>" + text::html(name(e.label)) + "</b> <span class=\"index\">#" +
           std::to_string(e.index) + "</span></figcaption>\n<div class=\"triple\">\n";
    out +=
        "<div>" +
        html_image(e.dims, which + ", clean", [&](std::size_t i) { return double(e.clean[i]); }) +
        prediction(e.clean_pred) + "</div>\n";
    out += "<div>" +
           html_image(e.dims, which + ", adversarial",
                      [&](std::size_t i) { return double(e.adversarial[i]); }) +
           prediction(e.attacked_pred) + "</div>\n";
    out += "<div>" +
           html_image(e.dims, which + ", difference",
                      [&](std::size_t i) {
                        return 0.5 + gain * (double(e.adversarial[i]) - e.clean[i]);
                      }) +
           "<span class=\"index\">" + times + "</span></div>\n</div></figure>\n";
  }
  return out +
         "</div>\n<p class=\"note\">Above each triple the true class; below, what the model says "
         "of the clean and of the adversarial image; then their difference " +
         times + " around mid-grey. Examples illustrate, they are no sample to count in.</p>\n";
}

/// One line per layer, folded away; a bar behind the multiply-accumulates compares it with the
/// largest layer.
inline std::string html_cost(const cost::Table& table) {
  if (table.rows.empty()) return "";
  const cost::Row total = table.total();
  const auto cell = [](long long v) { return number_cell(v == 0 ? "" : text::grouped(v)); };
  const auto cells = [&](const cost::Row& r, const std::string& macs) {
    return cell(r.parameters) + macs + number_cell(r.bops == 0 ? "" : text::with_prefix(r.bops)) +
           cell(r.relus) + cell(r.activations) + "</tr>\n";
  };
  const std::string totals = text::with_prefix(double(total.parameters)) + " parameters, " +
                             text::with_prefix(double(total.macs)) + " MACs, " +
                             text::with_prefix(total.bops) + " BOPs, " +
                             text::with_prefix(double(total.relus)) + " ReLUs";
  const std::string summary = text::grouped((long long)table.rows.size()) +
                              (table.rows.size() == 1 ? " layer: " : " layers: ") + totals;
  long long largest = 1;
  for (const cost::Row& r : table.rows) largest = std::max(largest, r.macs);
  std::string rows = table_head("cost", {{"Layer"},
                                         {"Operation"},
                                         {"Output", "c \u00D7 h \u00D7 w", true},
                                         {"Parameters", "", true},
                                         {"MACs", "", true},
                                         {"BOPs", "", true},
                                         {"ReLUs", "", true},
                                         {"Activations", "", true}});
  for (const cost::Row& r : table.rows) {
    const double share = 100.0 * double(r.macs) / double(largest);
    const std::string output = std::to_string(r.out.c) + " \u00D7 " + std::to_string(r.out.h) +
                               " \u00D7 " + std::to_string(r.out.w);
    rows += "<tr><td><code>" + text::html(r.path) + "</code></td><td>" + text::html(r.operation) +
            "</td>" + number_cell(output) +
            cells(r, "<td class=\"n share\" style=\"--share:" + text::fixed(share, 2) + "%\">" +
                         (r.macs == 0 ? "" : text::grouped(r.macs)) + "</td>");
  }
  rows += "<tr class=\"total\"><td>Total</td><td></td><td></td>" + cells(total, cell(total.macs)) +
          "</tbody></table>";
  return "<h3>Cost per image</h3>\n<details>\n<summary>" + text::html(summary) + "</summary>\n" +
         wide(rows) + "</details>\n";
}

}  // namespace rnx::inline RNX_ISA::report::detail
