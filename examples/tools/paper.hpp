// What the programs of papers share: rows of runs with seeds, tables beside printed numbers, data
// sets that are opened once.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <rnx/report/table.hpp>

#include "data_set.hpp"
#include "toml.hpp"

namespace paper {

using Json = tools::Json;

bool is_there(const std::filesystem::path& path);
/// Errors: FileError.
Json read_json(const std::filesystem::path& path);
/// `settings` with `more` over them.
Json with(Json settings, const Json& more);
/// "model resnet50_rrm -> resnet20_rrm, epochs 48 -> 8": what a row's settings have otherwise than
/// the paper's; "" where there is nothing.
std::string difference(const Json& paper, const Json& own);

/// Data sets, opened once.
class Images {
 public:
  /// Errors: UsageError, FileError.
  const tools::DataSet& of(const tools::DataOptions& o, bool train);

 private:
  struct Opened {
    std::string key;
    tools::DataSet set;
  };
  std::vector<std::unique_ptr<Opened>> opened_{};
};

/// The folder of a row's run.
std::filesystem::path folder_of(const std::filesystem::path& out, const std::string& row, int seed);
/// The folders of a row's runs, of all seeds.
std::vector<std::filesystem::path> runs_of(const std::vector<int>& seeds,
                                           const std::filesystem::path& out,
                                           const std::string& row);
/// The mean over those that have the value.
std::optional<double> mean_of(const std::vector<std::filesystem::path>& runs,
                              const rnx::report::TableColumn& column);

using Printed = std::vector<std::optional<double>>;

/// A row of a table: how it is called, which run it is, what is printed.
struct Line {
  std::string label, row;
  Printed printed;
  std::string group{};
};
struct PaperTable {
  int number;
  std::string title;
  std::vector<rnx::report::TableColumn> columns;
  std::vector<Line> lines;
};
rnx::report::Table gather(const PaperTable& table, const std::vector<int>& seeds,
                          const std::filesystem::path& out);
/// A table as NAME.md, .csv and .html in `folder`; below it `text`. Returns the .md's text. Errors:
/// FileError.
std::string write_table(const rnx::report::Table& table, const std::filesystem::path& folder,
                        const std::string& name, const std::string& text);

}  // namespace paper
