// Figures as data, and the figures of a training run read from its metrics.csv.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "rnx/io/file.hpp"

namespace rnx::inline RNX_ISA::report {

/// Which of two numbers is the better one.
enum class Better : unsigned char { lower, higher };

/// One line of a figure. A y that is not finite is a point that was not measured.
struct Curve {
  std::string name;
  std::vector<double> x, y;
  std::vector<double> low{}, high{};  ///< ends of each y's interval, where there are some
};

struct Figure {
  std::string title, x_label, y_label;
  std::vector<Curve> curves;
  bool percent = false;  ///< y holds fractions that are shown as percentages
};

namespace detail {

/// A table of numbers with named columns; what was not measured (an empty field, nan, null) is NaN.
struct MetricsTable {
  std::vector<std::string> names;
  std::vector<std::vector<double>> columns;
};

inline std::vector<std::string_view> csv_fields(std::string_view line) {
  std::vector<std::string_view> fields;
  for (std::size_t comma; (comma = line.find(',')) != line.npos; line.remove_prefix(comma + 1))
    fields.push_back(line.substr(0, comma));
  fields.push_back(line);
  return fields;
}

inline double csv_number(std::string_view text, std::string_view where) {
  constexpr double missing = std::numeric_limits<double>::quiet_NaN();
  if (text.empty() || text == "null") return missing;  // null: what a JSON writer makes of NaN
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  require<FileError>(error == std::errc{} && end == text.data() + text.size(), [&] {
    return std::string(where) + ": expected a number, found " + io::in_quotes(text);
  });
  return std::isfinite(value) ? value : missing;
}

inline MetricsTable read_metrics(std::string_view text, const std::string& what) {
  MetricsTable table;
  long line_number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line_number;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty() && line_number > 1) continue;
    const auto fields = csv_fields(line);
    const std::string where = what + ", line " + std::to_string(line_number);
    if (line_number == 1) {
      require<FileError>(!line.empty() && fields.size() <= 256, [&] {
        return where + ": expected the names of 1 to 256 columns, found " +
               std::to_string(line.empty() ? 0 : fields.size());
      });
      for (const auto name : fields) {
        const bool used =
            std::find(table.names.begin(), table.names.end(), name) != table.names.end();
        require<FileError>(!name.empty() && !used, [&] {
          return where + ": expected different names of columns, found " + io::in_quotes(name) +
                 (used ? " twice" : "");
        });
        table.names.emplace_back(name);
      }
      table.columns.resize(fields.size());
      continue;
    }
    require<FileError>(fields.size() == table.names.size(), [&] {
      return where + ": expected " + std::to_string(table.names.size()) + " fields, found " +
             std::to_string(fields.size());
    });
    for (std::size_t k = 0; k < fields.size(); ++k)
      table.columns[k].push_back(csv_number(fields[k], where));
  }
  require<FileError>(line_number > 0, [&] {
    return what + ": expected a line with the names of columns, found an empty file";
  });
  return table;
}

}  // namespace detail

/// The figures of a training run's metrics.csv: one of the columns whose names end in "loss", one
/// of those that end in "acc" (fractions), over the column "epoch" (else "step"). Columns without a
/// value and figures without a curve are left out.
/// Errors: FileError (no such column, a row of another length, a field that is not a number).
/// `what`: the file's name in the sentence.
inline std::vector<Figure> training_figures(std::string_view csv_text,
                                            const std::string& what = "metrics.csv") {
  const detail::MetricsTable table = detail::read_metrics(csv_text, what);
  const auto column = [&](std::string_view name) {
    return std::size_t(std::find(table.names.begin(), table.names.end(), name) -
                       table.names.begin());
  };
  const std::size_t none = table.names.size(),
                    x = column("epoch") < none ? column("epoch") : column("step");
  require<FileError>(x < none, [&] { return what + ", line 1: expected a column epoch or step"; });

  Figure loss{"Loss", table.names[x], "loss", {}, false},
      accuracy{"Accuracy", table.names[x], "accuracy", {}, true};
  const auto add = [&](Figure& figure, std::size_t k, std::string_view suffix) {
    const auto measured = [](double v) { return !std::isnan(v); };
    if (std::none_of(table.columns[k].begin(), table.columns[k].end(), measured)) return;
    std::string name = table.names[k].substr(0, table.names[k].size() - suffix.size());
    while (!name.empty() && name.back() == '_') name.pop_back();
    std::replace(name.begin(), name.end(), '_', ' ');
    figure.curves.push_back({.name = name.empty() ? std::string(suffix) : name,
                             .x = table.columns[x],
                             .y = table.columns[k]});
  };
  for (std::size_t k = 0; k < none; ++k) {
    if (table.names[k].ends_with("loss")) add(loss, k, "loss");
    if (table.names[k].ends_with("acc")) add(accuracy, k, "acc");
  }
  std::vector<Figure> figures;
  for (Figure* f : {&loss, &accuracy})
    if (!f->curves.empty()) figures.push_back(std::move(*f));
  return figures;
}

}  // namespace rnx::inline RNX_ISA::report
