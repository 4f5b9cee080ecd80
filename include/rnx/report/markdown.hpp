// report.md: the numbers as tables that read well as plain text.
#pragma once

#include <string>

#include "rnx/report/verdict.hpp"

namespace rnx::inline RNX_ISA::report {

namespace detail {

/// For one cell of a table: what Markdown or HTML would read as markup is escaped, line ends become
/// spaces.
inline std::string markdown(std::string_view raw) {
  std::string out;
  for (const char c : raw) {
    if (c == '<')
      out += "&lt;";
    else if (c == '&')
      out += "&amp;";
    else if (static_cast<unsigned char>(c) < 0x20)
      out += ' ';
    else if (std::string_view("\\|*`[]#").find(c) != std::string_view::npos)
      (out += '\\') += c;
    else
      out += c;
  }
  return out;
}

inline std::string markdown_row(const std::vector<std::string>& cells) {
  std::string out = "|";
  for (const std::string& c : cells) out += " " + c + " |";
  return out + "\n";
}

/// A value of the settings as text: strings as they are, everything else as JSON.
inline std::string plain(const Json& value) {
  return value.is_string() ? value.get<std::string>() : json_text(value, -1);
}

inline std::string markdown_facts(const Json& facts) {
  if (facts.empty()) return "";
  std::string out = "\n| | |\n|---|---|\n";
  for (const auto& [key, value] : facts.items())
    out += markdown_row({markdown(key), markdown(plain(value))});
  return out;
}

/// "61.2 % (58.1–64.2 %)"
inline std::string share_text(const eval::Proportion& p) {
  return text::percent(p) + " (" + text::percent_interval(p) + ")";
}

inline std::string markdown_members(const ModelReport& m) {
  std::string out;
  for (const AttackRow& a : m.attacks) {
    const auto after = eval::after_members(a.accuracy);
    for (std::size_t k = 0; k < after.size(); ++k) {
      if (out.empty()) out = "\n| of | after | right | of | |\n|---|---|--:|--:|--:|\n";
      out += markdown_row({markdown(a.name + " " + a.eps), markdown(a.accuracy.members[k]),
                           text::grouped(after[k].right), text::grouped(after[k].n),
                           share_text(after[k])});
    }
  }
  return out;
}

inline std::string markdown_curve(const ModelReport& m) {
  const auto points = security_curve(m.attacks);
  if (points.empty()) return "";
  std::string out = "\n| eps | right | of | robust to all attacks |\n|---|--:|--:|--:|\n";
  for (const CurvePoint& p : points)
    out += markdown_row({markdown(p.eps), text::grouped(p.robust.right), text::grouped(p.robust.n),
                         share_text(p.robust)});
  return out;
}

inline std::string markdown_audit(const ModelReport& m) {
  std::string out;
  for (const AttackRow& a : m.attacks) {
    if (a.accuracy.audit.images == 0) continue;
    if (out.empty())
      out =
          "\n| images of | largest linf | l2 | l1 | range | not finite | on the 8-bit lattice "
          "|\n|---|--:|--:|--:|--:|--:|--:|\n";
    const auto cells = audit_texts(a);
    std::vector<std::string> row{markdown(a.name + " " + a.eps)};
    row.insert(row.end(), cells.begin(), cells.end());
    out += markdown_row(row);
  }
  return out;
}

inline std::string markdown_checks(const ModelReport& m) {
  if (m.checks.empty()) return "";
  std::string out =
      "\n| check | verdict | value | 95 % | threshold | of what; what to do "
      "|\n|---|---|--:|--:|--:|---|\n";
  for (const eval::Check& c : m.checks) {
    const auto cells = check_texts(c);
    out += markdown_row(
        {markdown(c.name), cells[0], cells[1], cells[2], cells[3], markdown(cells[4])});
  }
  return out;
}

}  // namespace detail

/// report.md. Errors: see verify.
inline std::string to_markdown(const Report& report) {
  using namespace detail;
  verify(report);
  std::string out = "# " + markdown(report.title) + "\n\n" + markdown(verdict(report)) + "\n\n";
  out +=
      "| model | images | clean | attacked | parameters | MACs | BOPs | ReLUs "
      "|\n|---|--:|--:|--:|--:|--:|--:|--:|\n";
  for (const ModelReport& m : report.models) {
    const Headline h(m);
    const cost::Row cost = m.cost.total();
    out += markdown_row({markdown(m.label), text::grouped(h.clean.n), share_text(h.clean),
                         h.attack.empty() ? "-" : share_text(h.robust),
                         text::grouped(cost.parameters), text::grouped(cost.macs),
                         text::with_prefix(cost.bops), text::grouped(cost.relus)});
  }
  out += "\nIn parentheses: Wilson 95 % intervals. Costs are per image.\n";
  for (const ModelReport& m : report.models) {
    out += "\n## " + markdown(m.label) + "\n\nModel " + markdown(m.model) + ", weights " +
           markdown(m.weights) + ".\n\n";
    out +=
        "| attack | norm | eps | right | of | alone | after all so far | forward | backward | "
        "seconds |\n|---|---|---|--:|--:|--:|--:|--:|--:|--:|\n";
    for (std::size_t k = 0; k < m.attacks.size(); ++k) {
      const AttackRow& a = m.attacks[k];
      const eval::Proportion alone = robust_proportion(a.accuracy),
                             after = robust_proportion(combined(m.attacks, k + 1));
      out += markdown_row({markdown(a.name), markdown(a.norm), markdown(a.eps),
                           text::grouped(alone.right), text::grouped(alone.n), share_text(alone),
                           share_text(after), text::shortest(a.forwards),
                           text::shortest(a.backwards), text::fixed(a.seconds, 1)});
    }
    out += "\nForward and backward: passes per image.\n" + markdown_members(m) + markdown_curve(m) +
           markdown_audit(m) + markdown_checks(m) + markdown_facts(m.details);
  }
  if (!report.settings.empty()) out += "\n## Settings\n" + markdown_facts(report.settings);
  return utf8(out);
}

}  // namespace rnx::inline RNX_ISA::report
