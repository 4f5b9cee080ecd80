// A table of runs as Markdown, as CSV and as a page of HTML.
#pragma once

#include <string>

#include "rnx/report/html.hpp"
#include "rnx/report/markdown.hpp"
#include "rnx/report/table.hpp"

namespace rnx::inline RNX_ISA::report {

namespace detail {

/// "± 0.30, 2 of 3 runs": what stands behind a mean; empty where there is nothing to say.
inline std::string spread_text(const TableCell& cell, int digits) {
  std::string words;
  if (cell.mean.n > 1) words = "\u00B1 " + text::fixed(cell.mean.half, digits);
  if (cell.mean.n < cell.runs)
    words += (words.empty() ? "" : ", ") + std::to_string(cell.mean.n) + " of " +
             std::to_string(cell.runs) + " runs";
  return words;
}
/// "+0.21"
inline std::string signed_text(double difference, int digits) {
  const std::string number = text::fixed(difference, digits);
  return number.starts_with('-') ? number : "+" + number;
}

inline std::string table_note(const Table& table) {
  std::string words =
      "\u00B1: half the 95 % interval of the mean over runs (Student's t); a single run has none.";
  bool paper = false;
  for (std::size_t c = 0; c < table.columns().size(); ++c) paper = paper || table.has_paper(c);
  if (paper)
    words +=
        " Beside the printed values: our difference from them, bold where it is beyond the "
        "interval, the tolerance and rounding.";
  return words;
}

inline std::string markdown_cell(const TableCell& cell, int digits) {
  if (cell.missing()) return "missing";
  const std::string spread = spread_text(cell, digits);
  return text::fixed(cell.mean.value, digits) + (spread.empty() ? "" : " " + spread);
}
inline std::string markdown_paper(const TableCell& cell, int digits) {
  if (!cell.paper) return "";
  const std::string printed = text::fixed(*cell.paper, digits);
  if (cell.missing()) return printed;
  const std::string difference = signed_text(cell.difference(), digits);
  return printed + " (" + (cell.differs ? "**" + difference + "**" : difference) + ")";
}

/// Quoted where it must be (RFC 4180).
inline std::string csv_field(const std::string& raw) {
  if (raw.find_first_of(",\"\r\n") == raw.npos) return raw;
  std::string out = "\"";
  for (const char c : raw) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}
inline std::string csv_number_text(double v) { return std::isfinite(v) ? exact_text(v) : ""; }

inline std::string html_cell(const TableCell& cell, int digits) {
  if (cell.missing()) return "<td class=\"n index\">missing</td>";
  const std::string spread = spread_text(cell, digits);
  return "<td class=\"n\"><b>" + text::html(text::fixed(cell.mean.value, digits)) + "</b>" +
         (spread.empty() ? "" : small(spread)) + "</td>";
}
inline std::string html_paper(const TableCell& cell, int digits) {
  if (!cell.paper) return "<td></td>";
  return "<td class=\"n" + std::string(cell.differs ? " differs" : "") + "\">" +
         text::html(text::fixed(*cell.paper, digits)) +
         (cell.missing() ? "" : small(signed_text(cell.difference(), digits))) + "</td>";
}

}  // namespace detail

/// The table in Markdown: a column of means, and one of printed values where there are some.
inline std::string to_markdown(const Table& table) {
  using namespace detail;
  const bool groups = table.has_groups();
  std::vector<std::string> head{""};
  std::string rule = groups ? "|---|---|" : "|---|";
  if (groups) head.insert(head.begin(), "");
  for (std::size_t c = 0; c < table.columns().size(); ++c) {
    head.push_back(markdown(table.columns()[c].name));
    if (table.has_paper(c)) head.push_back("paper");
    rule += table.has_paper(c) ? "--:|--:|" : "--:|";
  }
  std::string out = "# " + markdown(table.title()) + "\n\n" + markdown_row(head) + rule + "\n";
  for (std::size_t r = 0; r < table.rows().size(); ++r) {
    const TableRow& row = table.rows()[r];
    std::vector<std::string> cells{markdown(row.label)};
    if (groups) cells.insert(cells.begin(), markdown(row.group));
    for (std::size_t c = 0; c < table.columns().size(); ++c) {
      const int digits = table.columns()[c].digits;
      cells.push_back(markdown_cell(table.cell(r, c), digits));
      if (table.has_paper(c)) cells.push_back(markdown_paper(table.cell(r, c), digits));
    }
    out += markdown_row(cells);
  }
  return utf8(out + "\n" + table_note(table) + "\n");
}

/// The table as CSV, for programs: of each column the mean with all its digits, half its interval,
/// how many runs have a value, the printed value, and whether it differs (0 or 1). What is missing
/// is an empty field.
inline std::string to_csv(const Table& table) {
  using namespace detail;
  std::string out = "group,label,runs";
  for (const TableColumn& c : table.columns())
    for (const char* what : {"", " half", " n", " paper", " differs"})
      out += "," + csv_field(c.name + what);
  out += "\n";
  for (std::size_t r = 0; r < table.rows().size(); ++r) {
    const TableRow& row = table.rows()[r];
    out +=
        csv_field(row.group) + "," + csv_field(row.label) + "," + std::to_string(row.runs.size());
    for (std::size_t c = 0; c < table.columns().size(); ++c) {
      const TableCell& cell = table.cell(r, c);
      const bool compared = cell.paper && !cell.missing();
      out += "," + csv_number_text(cell.mean.value) + "," + csv_number_text(cell.mean.half) + "," +
             std::to_string(cell.mean.n) + "," + (cell.paper ? csv_number_text(*cell.paper) : "") +
             "," +
             (!compared      ? ""
              : cell.differs ? "1"
                             : "0");
    }
    out += "\n";
  }
  return utf8(out);
}

/// The table as a page that opens without a network and without scripts.
inline std::string to_html(const Table& table) {
  using namespace detail;
  const bool groups = table.has_groups();
  std::vector<Column> head{{""}};
  if (groups) head.insert(head.begin(), Column{""});
  for (std::size_t c = 0; c < table.columns().size(); ++c) {
    head.push_back({table.columns()[c].name, "", true});
    if (table.has_paper(c)) head.push_back({"paper", "", true});
  }
  std::string rows = table_head("runs", head), group;
  for (std::size_t r = 0; r < table.rows().size(); ++r) {
    const TableRow& row = table.rows()[r];
    rows += "<tr>";
    if (groups)
      rows += "<td>" + (r > 0 && row.group == group ? "" : text::html(row.group)) + "</td>";
    group = row.group;
    rows += "<th scope=\"row\">" + text::html(row.label) + "</th>";
    for (std::size_t c = 0; c < table.columns().size(); ++c) {
      const int digits = table.columns()[c].digits;
      rows += html_cell(table.cell(r, c), digits);
      if (table.has_paper(c)) rows += html_paper(table.cell(r, c), digits);
    }
    rows += "</tr>\n";
  }
  return utf8(html_open(table.title()) + "</header>\n<main>\n" + wide(rows + "</tbody></table>") +
              "<p class=\"note\">" + text::html(table_note(table)) + "</p>\n</main>\n" +
              html_close(""));
}

}  // namespace rnx::inline RNX_ISA::report
