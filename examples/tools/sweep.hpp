// Sweeps: a list of rows, each a run directory of its own, which several processes may share and
// which goes on where it was stopped. Of any program that trains.
//   rnx-train sweep FILE --out DIR [--shard 2/8] [--KEY=VALUE ...]
//   rnx-train merge DIR ... --out DIR
// FILE, TOML or JSON: settings of all rows, and a list `rows` of a name and settings of its own
// each. DIR/sweep.json says what the rows are, DIR/NAME/ is the run of the row NAME.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "app.hpp"

namespace tools {

/// A row, read as its program reads a command line, and found fit to run.
struct SweepRow {
  Json options{};              ///< App::options()
  bool quiet = false;          ///< prints nothing for people
  std::function<int()> run{};  ///< the exit code
};
/// Reads the options of a row and refuses what can be refused before work. Errors: UsageError,
/// FileError.
using RowReader =
    std::function<SweepRow(const App::Arguments& arguments, const Settings& settings)>;

/// Whether a folder holds a finished run of these options (App::options()), on whatever device.
/// Errors: UsageError (a finished run of others, another program's), FileError.
bool is_finished_run(const std::filesystem::path& folder, const Json& options,
                     const std::string& program);

/// Adds the verbs `sweep` and `merge`.
void add_sweep_verbs(App& app, RowReader read);

}  // namespace tools
