// report.html: one file that opens without a network and without scripts. Everything that comes
// from outside is escaped.
#pragma once

#include <string>

#include "rnx/report/html_parts.hpp"
#include "rnx/report/html_style.hpp"

namespace rnx::inline RNX_ISA::report {

namespace detail {

/// The first thing that a reader sees: one line per model.
inline std::string html_summary(const Report& report) {
  bool same = true;
  for (const ModelReport& m : report.models) same = same && same_attacks(m, report.models[0]);
  const std::string common = same ? Headline(report.models[0]).attack : "";
  std::string out = table_head("summary", {{"Model"},
                                           {"Clean", "", true},
                                           {"Attacked", common, true},
                                           {"Images", "", true},
                                           {"Parameters", "", true},
                                           {"MACs", "per image", true}});
  for (const ModelReport& m : report.models) {
    const Headline h(m);
    const cost::Row cost = m.cost.total();
    out += "<tr><th scope=\"row\">" + text::html(m.label) +
           (m.model == m.label ? "" : small(m.model)) + "</th>" + share_cell(h.clean) +
           (h.attack.empty() ? number_cell("\u2013") : share_cell(h.robust, same ? "" : h.attack)) +
           number_cell(text::grouped(h.clean.n)) +
           number_cell(text::with_prefix(double(cost.parameters))) +
           number_cell(text::with_prefix(double(cost.macs))) + "</tr>\n";
  }
  return wide(out + "</tbody></table>") +
         "<p class=\"note\">In small print: 95\u00A0% intervals (Wilson). Differences smaller than "
         "these may be chance.</p>\n";
}

/// Clean and attacked accuracies of all models beside each other.
inline std::string html_bars(const Report& report) {
  std::vector<svg::BarGroup> groups;
  for (const ModelReport& m : report.models) {
    const eval::Accuracy all = combined(m.attacks);
    const auto labels = attack_labels(m.attacks);
    svg::BarGroup group{report.models.size() > 1 ? m.label : "",
                        {{"no attack", clean_proportion(all), 5}}};
    for (std::size_t k = 0; k < labels.size(); ++k)
      if (!m.attacks[k].is_clean())
        group.bars.push_back({labels[k], robust_proportion(m.attacks[k].accuracy), 0});
    if (group.bars.size() > 2) {
      for (std::size_t k = 1; k < group.bars.size(); ++k) group.bars[k].opacity = 0.55;
      group.bars.push_back({"all attacks together", robust_proportion(all), 0});
    }
    groups.push_back(std::move(group));
  }
  return "<figure class=\"chart bars\">\n" +
         wide(svg::bar_chart("Share of images that are classified correctly", groups)) +
         "<figcaption>Share of images that are classified correctly; whiskers are 95\u00A0% "
         "intervals.</figcaption>\n</figure>\n";
}

/// With a space after each comma, where a line may break.
inline std::string spaced(std::string_view parameters) {
  std::string out;
  for (const char c : parameters) (out += c) += c == ',' ? " " : "";
  return out;
}

inline std::string html_attacks(const ModelReport& m) {
  std::string out = table_head("attacks", {{"Attack"},
                                           {"Ball"},
                                           {"Right", "", true},
                                           {"Alone", "", true},
                                           {"After all so far", "", true},
                                           {"Passes per image", "forward + backward", true},
                                           {"Seconds", "", true}});
  for (std::size_t k = 0; k < m.attacks.size(); ++k) {
    const AttackRow& a = m.attacks[k];
    const eval::Proportion alone = robust_proportion(a.accuracy);
    const eval::Proportion after = robust_proportion(combined(m.attacks, k + 1));
    const auto colon = a.name.find(':');
    const std::string parameters =
        colon == a.name.npos ? "" : small(spaced(a.name.substr(colon + 1)));
    const std::string passes =
        a.forwards == 0 ? "\u2013"
                        : text::shortest(a.forwards) + " + " + text::shortest(a.backwards);
    out += "<tr><th scope=\"row\">" +
           text::html(a.is_clean() ? "no attack" : a.name.substr(0, colon)) + parameters +
           "</th><td>" + text::html(ball_text(a)) + "</td>";
    out += number_cell(text::grouped(alone.right) + " of " + text::grouped(alone.n)) +
           share_cell(alone) + share_cell(after);
    out += number_cell(passes) + number_cell(a.seconds > 0 ? text::fixed(a.seconds, 1) : "\u2013") +
           "</tr>\n";
  }
  return wide(out + "</tbody></table>");
}

/// What is left after each member of the attacks that are sequences.
inline std::string html_members(const ModelReport& m) {
  std::string rows;
  for (const AttackRow& a : m.attacks) {
    const auto after = eval::after_members(a.accuracy);
    for (std::size_t k = 0; k < after.size(); ++k)
      rows += "<tr><th scope=\"row\">" + text::html(a.accuracy.members[k]) +
              small(a.name + ", " + ball_text(a)) + "</th>" +
              number_cell(text::grouped(after[k].right) + " of " + text::grouped(after[k].n)) +
              share_cell(after[k]) + "</tr>\n";
  }
  if (rows.empty()) return "";
  return "<h3>After each attack of a sequence</h3>\n" +
         wide(table_head("members", {{"After"}, {"Right", "", true}, {"Accuracy", "", true}}) +
              rows + "</tbody></table>");
}

/// Over the radius, in levels of 255 where it is in Linf.
inline std::string html_curve(const ModelReport& m) {
  const auto points = security_curve(m.attacks);
  if (points.empty()) return "";
  const bool linf = joined(m.attacks, &AttackRow::norm) == "linf";
  Curve curve{.name = "robust to all attacks", .x = {0}, .y = {}};
  const auto add = [&curve](const eval::Proportion& p) {
    curve.y.push_back(p.value());
    curve.low.push_back(p.interval().low);
    curve.high.push_back(p.interval().high);
  };
  add(clean_proportion(combined(m.attacks)));
  for (const CurvePoint& p : points) {
    curve.x.push_back((linf ? 255 : 1) * double(Rational::parse(p.eps)));
    add(p.robust);
  }
  return "<h3>Security curve</h3>\n<figure class=\"chart\">\n" +
         svg::line_chart({"Robust accuracy over the radius",
                          linf ? "eps in levels of 255" : "eps",
                          "right",
                          {curve},
                          true}) +
         "</figure>\n";
}

inline std::string html_audit(const ModelReport& m) {
  std::string rows;
  for (const AttackRow& a : m.attacks) {
    if (a.accuracy.audit.images == 0) continue;
    rows += "<tr><th scope=\"row\">" + text::html(a.name.substr(0, a.name.find(':'))) +
            small(a.eps) + "</th>";
    for (const std::string& cell : audit_texts(a)) rows += number_cell(cell);
    rows += "</tr>\n";
  }
  if (rows.empty()) return "";
  return "<h3>Images of the attacks</h3>\n" +
         wide(table_head("audit", {{"Attack"},
                                   {"L\u221E", "largest", true},
                                   {"L2", "largest", true},
                                   {"L1", "largest", true},
                                   {"Pixels", "range", true},
                                   {"Not finite", "pixels", true},
                                   {"On the 8-bit lattice", "images", true}}) +
              rows + "</tbody></table>");
}

inline std::string html_checks(const ModelReport& m) {
  if (m.checks.empty()) return "";
  std::string out = table_head("checks", {{"Check"},
                                          {"Verdict"},
                                          {"Value", "", true},
                                          {"95\u00A0%", "", true},
                                          {"Threshold", "", true},
                                          {"Of what"}});
  for (const eval::Check& c : m.checks) {
    const auto cells = check_texts(c);
    out += "<tr><th scope=\"row\">" + text::html(c.name) + "</th><td>" + text::html(cells[0]) +
           "</td>" + number_cell(cells[1]) + number_cell(cells[2]) + number_cell(cells[3]) +
           "<td>" + text::html(cells[4]) + "</td></tr>\n";
  }
  return "<h3>Checks</h3>\n" + wide(out + "</tbody></table>");
}

inline std::string html_model(const Report& report, const ModelReport& m) {
  std::string out = "<section>\n<h2>" + text::html(m.label) + "</h2>\n";
  out += "<p class=\"note\">Model <code>" + text::html(m.model) + "</code>, weights <code>" +
         text::html(m.weights) + "</code></p>\n" + html_attacks(m) + html_members(m) +
         html_curve(m) + html_checks(m) + html_audit(m);
  if (!m.figures.empty()) {
    out += "<h3>Training</h3>\n<div class=\"charts\">\n";
    for (const Figure& f : m.figures)
      out += "<figure class=\"chart\">\n" + svg::line_chart(f) + "</figure>\n";
    out +=
        "</div>\n<p class=\"note\">As the training run recorded them, on the images it used; the "
        "numbers to quote are those of the table above.</p>\n";
  }
  out += html_examples(report, m);
  out += html_cost(m.cost);
  if (!m.details.empty()) out += "<h3>Details</h3>\n" + html_facts(m.details);
  return out + "</section>\n";
}

/// The head of a page and its title, up to what comes below that.
inline std::string html_open(const std::string& raw_title) {
  const std::string title = text::html(raw_title);
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta "
         "name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
         "<meta name=\"color-scheme\" content=\"light dark\"/>\n<title>" +
         title + "</title>\n<style>\n" + html_style + "</style>\n</head>\n<body>\n<header>\n<h1>" +
         title + "</h1>\n";
}
/// The foot of a page, behind its main part.
inline std::string html_close(const std::string& more) {
  return "<footer><p>Written by rnx " + std::to_string(RNX_VERSION_MAJOR) + "." +
         std::to_string(RNX_VERSION_MINOR) + "." + std::to_string(RNX_VERSION_PATCH) + "." + more +
         "</p></footer>\n</body>\n</html>\n";
}

}  // namespace detail

/// report.html, self-contained. Errors: see verify.
inline std::string to_html(const Report& report) {
  using namespace detail;
  verify(report);
  std::string out = html_open(report.title);
  out += "<p class=\"verdict\">" + text::html(verdict(report)) + "</p>\n</header>\n<main>\n";
  out += html_summary(report) + html_bars(report);
  for (const ModelReport& m : report.models) out += html_model(report, m);
  if (!report.settings.empty())
    out += "<section>\n<h2>Settings</h2>\n" + html_facts(report.settings) + "</section>\n";
  out += "</main>\n" + html_close(
                           " The same numbers are in report.json, each image's predictions in the "
                           "per_sample files beside it.");
  return utf8(out);
}

}  // namespace rnx::inline RNX_ISA::report
