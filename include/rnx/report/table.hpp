// A paper's table out of run directories: means over seeds, what the paper prints beside them, what
// differs from it.
#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "rnx/eval/mean.hpp"
#include "rnx/report/table_source.hpp"

namespace rnx::inline RNX_ISA::report {

/// A row: one run, or the runs of several seeds.
struct TableRow {
  std::string label;
  std::vector<std::filesystem::path> runs{};
  std::vector<std::optional<double>> paper{};  ///< printed values, as they are shown; may be fewer
  std::string group{};                         ///< stands before the label, where rows have one
  /// Keys of the configuration that each run has its own of, beside seed, init and teacher.
  std::vector<std::string> own{};
};

struct TableCell {
  eval::Mean mean{};     ///< in the units that are shown, over the runs that have a value
  std::size_t runs = 0;  ///< of the row
  std::optional<double> paper{};

  bool missing() const { return mean.n == 0; }
  /// Of the mean from the printed value; NaN: one of them is not there.
  double difference() const {
    return paper ? mean.value - *paper : std::numeric_limits<double>::quiet_NaN();
  }
  bool differs = false;  ///< by more than the interval, the tolerance and the last digit's half
};

/// Reads when it is made; holds numbers from then on. A run, a file or a value that is not there is
/// missing, and no number.
/// Errors: UsageError (no column or row, names that are used twice, more printed values than
/// columns, a row's runs that are of several configurations or the same run again, runs that differ
/// in what a column compares), FileError (a file that is damaged or holds something else).
class Table {
 public:
  Table(std::string title, std::vector<TableColumn> columns, std::vector<TableRow> rows)
      : title_(std::move(title)),
        columns_(std::move(columns)),
        rows_(std::move(rows)) {
    check_names();
    for (const TableRow& row : rows_) check_runs(row);
    cells_.resize(rows_.size());
    for (std::size_t c = 0; c < columns_.size(); ++c) fill(c);
  }

  const std::string& title() const { return title_; }
  const std::vector<TableColumn>& columns() const { return columns_; }
  const std::vector<TableRow>& rows() const { return rows_; }
  const TableCell& cell(std::size_t row, std::size_t column) const {
    return cells_.at(row).at(column);
  }
  /// Whether any row has a printed value for the column.
  bool has_paper(std::size_t column) const {
    return std::any_of(cells_.begin(), cells_.end(),
                       [&](const auto& row) { return row[column].paper.has_value(); });
  }
  bool has_groups() const {
    return std::any_of(rows_.begin(), rows_.end(),
                       [](const TableRow& row) { return !row.group.empty(); });
  }

 private:
  static std::string name_of(const TableRow& row) {
    return io::in_quotes(row.group.empty() ? row.label : row.group + ", " + row.label);
  }

  void check_names() const {
    require(!columns_.empty() && !rows_.empty(), "table: expected at least a column and a row");
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      const TableColumn& column = columns_[c];
      const std::string what = "table: the column " + io::in_quotes(column.name);
      for (std::size_t k = 0; k < c; ++k)
        require(columns_[k].name != column.name, [&] { return what + " is there twice"; });
      require(std::isfinite(column.scale) && column.scale != 0 && column.tolerance >= 0 &&
                  column.digits >= 0 && column.digits <= 12,
              [&] {
                return what +
                       " expects a scale that is not 0, a tolerance that is not negative "
                       "and 0 to 12 digits";
              });
      const bool log = column.file.ends_with(".jsonl");
      require(log == (column.pick != Pick::value), [&] {
        return what +
               " expects the last or the best value of a .jsonl file, and the value of any "
               "other file, found " +
               io::in_quotes(column.file);
      });
      detail::pointer(column.path);
      for (const std::string& path : column.compares) detail::pointer(path);
    }
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      require(rows_[r].paper.size() <= columns_.size(), [&] {
        return "table: the row " + name_of(rows_[r]) + " has " +
               std::to_string(rows_[r].paper.size()) + " printed values, the table " +
               std::to_string(columns_.size()) + " columns";
      });
      for (std::size_t k = 0; k < r; ++k)
        require(rows_[k].label != rows_[r].label || rows_[k].group != rows_[r].group,
                [&] { return "table: the row " + name_of(rows_[r]) + " is there twice"; });
    }
  }

  static std::filesystem::path place(const std::filesystem::path& run) {
    std::error_code error;
    const auto found = std::filesystem::weakly_canonical(run, error);
    return error ? run : found;
  }
  /// The runs of a row are one configuration with several seeds; an interval over anything else
  /// would say nothing.
  static void check_runs(const TableRow& row) {
    std::vector<std::pair<std::filesystem::path, detail::Json>> seen;
    for (const auto& run : row.runs) {
      for (const auto& other : row.runs)
        require(&other == &run || place(other) != place(run), [&] {
          return "table: the row " + name_of(row) + " has the run " + run.string() + " twice";
        });
      if (!detail::is_there(run / "run.json")) continue;
      detail::Json json = detail::read_object(run / "run.json");
      if (!json.contains("configuration") || !json["configuration"].is_object()) continue;
      for (const auto& before : seen)
        compare(row, before.first, before.second, run, json["configuration"]);
      seen.emplace_back(run, std::move(json["configuration"]));
    }
  }
  static void compare(const TableRow& row, const std::filesystem::path& before,
                      const detail::Json& theirs, const std::filesystem::path& run,
                      const detail::Json& ours) {
    const std::string what = "table: the row " + name_of(row) + " holds runs of ";
    bool apart = false;
    // a student's seed has a teacher of that seed, whose weights differ, as do those to start from
    std::vector<std::string> own{"seed", "init", "teacher"};
    own.insert(own.end(), row.own.begin(), row.own.end());
    for (const auto* one : {&theirs, &ours})
      for (const auto& item : one->items()) {
        const std::string& key = item.key();
        const auto& other = one == &theirs ? ours : theirs;
        const bool equal = other.contains(key) && other[key] == item.value();
        require(equal || std::find(own.begin(), own.end(), key) != own.end(), [&] {
          return what + "several configurations: " + before.string() + " and " + run.string() +
                 " differ in " + io::in_quotes(key);
        });
        apart |= !equal;
      }
    require(apart, [&] {
      return what + "the same configuration and seed: " + before.string() + " and " + run.string();
    });
  }

  void fill(std::size_t c) {
    const TableColumn& column = columns_[c];
    detail::Found first;
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      TableCell cell{.runs = rows_[r].runs.size()};
      std::vector<double> values;
      for (const auto& run : rows_[r].runs) {
        detail::Found found = detail::find_value(run, column);
        if (!found.value) continue;
        values.push_back(column.scale * *found.value);
        if (first.value) require_comparable(column, first, found);
        if (!first.value) first = std::move(found);
      }
      cell.mean = eval::mean(values);
      if (c < rows_[r].paper.size()) cell.paper = rows_[r].paper[c];
      if (cell.paper && !cell.missing()) {
        const double rounding = 0.5 * std::pow(10, -column.digits) * (1 + 1e-9);
        const double half = cell.mean.n > 1 ? cell.mean.half : 0;
        cell.differs = std::abs(cell.difference()) > std::max({half, column.tolerance, rounding});
      }
      cells_[r].push_back(cell);
    }
  }
  static void require_comparable(const TableColumn& column, const detail::Found& a,
                                 const detail::Found& b) {
    for (std::size_t k = 0; k < a.compared.size(); ++k)
      require(a.compared[k].second == b.compared[k].second, [&] {
        return "table: the column " + io::in_quotes(column.name) + " compares runs whose " +
               a.compared[k].first + " differs: " + a.compared[k].second + " in " +
               a.facts.string() + ", " + b.compared[k].second + " in " + b.facts.string();
      });
  }

  std::string title_;
  std::vector<TableColumn> columns_;
  std::vector<TableRow> rows_;
  std::vector<std::vector<TableCell>> cells_;
};

}  // namespace rnx::inline RNX_ISA::report
