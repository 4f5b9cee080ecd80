#include "sweep.hpp"

#include <algorithm>
#include <filesystem>

#include "run_json.hpp"
#include "sweep_file.hpp"

namespace tools {

using namespace rnx;
namespace fs = std::filesystem;

bool is_finished_run(const fs::path& folder, const Json& options, const std::string& program) {
  const Json run = read_run_json("--out", folder, program);
  if (!is_finished(run)) return false;
  Json stored = run.value("options", Json::object()), now = options;
  for (Json* one : {&stored, &now}) one->erase("device");  // a finished run is what it is
  const std::string difference = first_difference(stored, now);
  require(difference.empty(), [&] {
    return "--out: " + folder.string() + " holds a run of other options: " + difference;
  });
  return true;
}

namespace {

struct SweepOptions {
  std::string file, out, shard = "1/1";
};

/// A row with its place.
struct PlacedRow : SweepRow {
  std::string name;
  fs::path folder{};
  bool finished = false;
};

/// Every row is read, whatever the shard: a mistake is everybody's.
std::vector<PlacedRow> read_rows(const SweepOptions& o, const App::Arguments& more,
                                 const RowReader& read) {
  std::vector<PlacedRow> rows;
  for (const NamedSettings& named : rows_of(read_settings_file(o.file))) {
    for (const char* key : {"out", "resume"})
      require(!named.values.contains(key), [&] {
        return o.file + ", row " + named.name + ": " + key +
               " is for the command line; a row's folder is its name in --out";
      });
    App::Arguments arguments = more;
    const fs::path folder = fs::path(o.out) / named.name;
    arguments.push_back("--out=" + folder.string());
    const std::string where = o.file + ", row " + named.name;
    rows.push_back({about(where,
                          [&] {
                            return read(arguments, {named.values, where});
                          }),
                    named.name, folder});
  }
  return rows;
}

Json description(const std::vector<PlacedRow>& rows) {
  Json list = Json::array();
  for (const PlacedRow& row : rows) list.push_back({{"name", row.name}, {"options", row.options}});
  return list;
}

/// One row; a mistake of one is no other's. The exit code.
int run_row(const PlacedRow& row, const std::string& program) {
  try {
    return row.run();
  } catch (const Stopped&) {
    throw;
  } catch (const Error& e) {
    complain(program + ": row " + row.name + ": " + e.what());
    return e.exit_code();
  }
}

int run_sweep(const SweepOptions& o, const App::Arguments& more, const std::string& program,
              const RowReader& read) {
  stop_on_signals();
  require(!o.file.empty() && !o.out.empty(), "expected a FILE of rows, and --out DIR");
  for (const std::string& a : more)
    require(a.starts_with("--"), [&] {
      return "unexpected argument '" + a + "'; an option of all rows is written --KEY=VALUE";
    });
  std::vector<PlacedRow> rows = read_rows(o, more, read);
  const Shard shard = Shard::parse(o.shard, rows.size());
  const Json all = description(rows);
  require_same_sweep(o.out, program, all);
  for (PlacedRow& row : rows) row.finished = is_finished_run(row.folder, row.options, program);
  describe_sweep(o.out, program, all);
  int result = 0;
  for (std::size_t k = shard.index - 1; k < rows.size(); k += shard.count) {
    const PlacedRow& row = rows[k];
    check_stop();
    if (!row.quiet)
      print_line(stdout, fmt::format("row {} of {}, {}{}", k + 1, rows.size(), row.name,
                                     row.finished ? ": finished before" : ""));
    const int code = row.finished ? 0 : run_row(row, program);
    if (stop_on_signals().load()) return stopped_status();
    if (result == 0) result = code;
  }
  return result;
}

/// Copies a finished row beside, then puts it in its place.
void copy_row(const fs::path& from, const fs::path& to, const std::string& program) {
  std::error_code error;
  const fs::path beside = to.parent_path() / (".merging-" + to.filename().string());
  fs::remove_all(beside, error);
  fs::copy(from, beside, fs::copy_options::recursive, error);
  if (!error && fs::exists(to)) {
    const FolderLock lock("--out", to, program);
    fs::remove_all(to, error);  // it was not finished
  }
  if (!error) fs::rename(beside, to, error);
  require<FileError>(!error, [&] {
    return "--out: " + from.string() + " cannot be copied to " + to.string() + ": " +
           error.message();
  });
}

int merge(const std::vector<std::string>& shards, const std::string& out,
          const std::string& program) {
  require(!shards.empty() && !out.empty(), "expected folders of shards, and --out DIR");
  const Json rows = read_sweep(shards[0], program);
  for (const std::string& shard : shards) {
    const std::string difference = sweep_difference(rows, read_sweep(shard, program));
    require(difference.empty(), [&] {
      return shards[0] + " and " + shard + " are shards of different sweeps: " + difference;
    });
  }
  describe_sweep(out, program, rows);
  std::vector<std::string> missing;
  for (const Json& row : rows) {
    const std::string name = row.at("name");
    bool there = is_finished(read_run_json("--out", fs::path(out) / name, program));
    for (const std::string& shard : shards) {
      const fs::path from = fs::path(shard) / name;
      if (there || !is_finished(read_run_json(shard, from, program))) continue;
      copy_row(from, fs::path(out) / name, program);
      there = true;
    }
    if (!there) missing.push_back(name);
  }
  print_line(stdout,
             fmt::format("{} of {} rows in {}", rows.size() - missing.size(), rows.size(), out));
  if (!missing.empty())
    complain(fmt::format("{}: not finished in any of the folders: {}", program,
                         fmt::join(missing, ", ")));
  return 0;
}

}  // namespace

void add_sweep_verbs(App& app, RowReader read) {
  const std::string program = app.name();
  app.verb("sweep", "runs the rows of a file, each into a folder of its own",
           [program, read = std::move(read)](const App::Arguments& arguments) {
             App verb(program + " sweep",
                      "Runs the rows of a file; options of all rows: --KEY=VALUE.");
             SweepOptions o;
             verb.cli.allow_extras();
             verb.cli.add_option("file", o.file, "TOML or JSON: settings of all rows, and `rows`");
             verb.cli.add_option("--out", o.out, "folder of the rows' run directories");
             verb.cli.add_option("--shard", o.shard, "I/N: only every N-th row, from the I-th on");
             return verb.run(arguments,
                             [&] { return run_sweep(o, verb.cli.remaining(), program, read); });
           });
  app.verb("merge", "puts the finished rows of shards together",
           [program](const App::Arguments& arguments) {
             App verb(program + " merge",
                      "Copies the finished rows of shards of one sweep into one folder.");
             std::vector<std::string> shards;
             std::string out;
             verb.cli.add_option("shards", shards, "folders that sweep wrote")
                 ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
             verb.cli.add_option("--out", out, "folder of all rows");
             return verb.run(arguments, [&] { return merge(shards, out, program); });
           });
}

}  // namespace tools
