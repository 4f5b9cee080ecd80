// What a paper's program claims of means over seeds, and whether it holds.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <rnx/report/table.hpp>

namespace paper {

/// Where a number stands: a column of a row's runs.
struct Cell {
  std::string row;
  rnx::report::TableColumn column;
};

/// The runs of some seeds in a folder.
class Seeds {
 public:
  using Values = std::vector<double>;
  /// own(row): report::TableRow::own.
  using Own = std::function<std::vector<std::string>(const std::string& row)>;
  Seeds(std::vector<int> seeds, std::filesystem::path out, Own own = {});

  /// f(values of the cells), of each seed that has them all. Errors: UsageError (of other images,
  /// or other attacks), FileError.
  Values of(const std::vector<Cell>& cells, const std::function<double(const Values&)>& f) const;
  /// The first cell's less the second's.
  Values difference(const Cell& a, const Cell& b) const;
  /// The first cell's over the second's; of 0 there is no ratio: NaN, for which nothing holds.
  Values ratio(const Cell& a, const Cell& b) const;

 private:
  void require_comparable(const std::vector<Cell>& cells) const;

  std::vector<int> seeds_;
  std::filesystem::path out_;
  Own own_;
};

enum class Relation { at_least, above, at_most };
/// What is claimed of the mean over seeds.
struct Claim {
  std::string text;
  Seeds::Values values;
  Relation relation = Relation::at_least;
  double bound = 0;

  bool holds(double mean) const;
};
/// A line for each: mean, interval, what is claimed, whether it holds.
std::string claims_text(const std::vector<Claim>& claims);

}  // namespace paper
