// What the programs of papers share: rows of runs with seeds, tables beside printed numbers, data
// sets that are opened once.
#pragma once

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <rnx/report/table.hpp>

#include "data_set.hpp"
#include "signals.hpp"
#include "toml.hpp"
#include "words.hpp"

namespace paper {

using Json = tools::Json;

bool is_there(const std::filesystem::path& path);
/// Errors: FileError.
Json read_json(const std::filesystem::path& path);
/// Whether a file is there and says everything that `facts` say: what its numbers were measured of
/// and how. Errors: FileError (it is no JSON object).
bool is_measured(const std::filesystem::path& file, const Json& facts);
/// `settings` with `more` over them.
Json with(Json settings, const Json& more);
/// "model resnet50_rrm -> resnet20_rrm, epochs 48 -> 8": what a row's settings have otherwise than
/// the paper's; "" where there is nothing.
std::string difference(const Json& paper, const Json& own);

/// Of a list of checks, as reports hold them, a line for each of this run that fired, or would have
/// but for what the network is by design.
std::string fired_checks(const Json& checks, const std::string& run);

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

/// What a preset runs. A paper's own plan adds how its networks are measured.
template <class Row> struct PlanOf {
  std::string preset;
  std::vector<Row> rows{};  ///< what others need before them
  std::vector<int> seeds{0};
  Json data{};  ///< settings of all rows

  bool synthetic() const { return data.value("dataset", "") == "synthetic"; }
  /// Of its images: those of CIFAR-10 lie in a folder.
  Json data_settings(const std::string& folder) const {
    Json settings = data;
    if (!folder.empty() && !synthetic()) settings["data"] = folder;
    return settings;
  }
  /// Null: it has none of that name.
  const Row* find(const std::string& name) const {
    for (const Row& row : rows)
      if (row.name == name) return &row;
    return nullptr;
  }
};

/// What every verb takes.
struct Arguments {
  std::string preset = "small", data{}, out{}, progress = "auto";
  std::vector<std::string> only{};  ///< names of rows; none: all
  std::vector<double> seeds{};      ///< none: the plan's
  int threads = 0;                  ///< 0: all

  bool wants(const std::string& row) const {
    return only.empty() || std::find(only.begin(), only.end(), row) != only.end();
  }
  /// presets: their names, as --help lists them.
  void add_options(CLI::App& cli, const std::string& presets);
  /// Sets the plan's seeds. Errors: UsageError (a row that the plan does not have; no --data where
  /// `needs_data` and the images are not synthetic).
  template <class Plan> void apply(Plan& plan, bool needs_data) const {
    if (!seeds.empty()) plan.seeds.assign(seeds.begin(), seeds.end());
    std::vector<std::string> known;
    for (const auto& row : plan.rows) known.push_back(row.name);
    for (const std::string& name : only) tools::require_known("--only", name, known);
    rnx::require(!needs_data || !data.empty() || plan.synthetic(),
                 "--data: the folder of CIFAR-10 is needed (--preset smoke needs none)");
  }
};

/// run() of one row, of which `program` says what failed: a mistake of one row is no other's.
int guarded(const std::string& program, const std::string& row, const std::function<int()>& run);
/// one(row, seed), the exit code, of every wanted row and seed of the plan. Returns the first that
/// is not 0; after a signal tools::stopped_status().
template <class Plan, class One>
int each_run(const std::string& program, const Plan& plan, const Arguments& a, One one) {
  tools::stop_on_signals();
  if (a.threads) rnx::host::set_threads(a.threads);
  int result = 0;
  for (const auto& row : plan.rows)
    for (const int seed : plan.seeds) {
      if (!a.wants(row.name)) continue;
      const int code = guarded(program, row.name, [&] { return one(row, seed); });
      if (tools::stop_on_signals().load()) return tools::stopped_status();
      if (result == 0) result = code;
    }
  return result;
}

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
  std::vector<std::string> own{};  ///< of report::TableRow
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
