#include "table.hpp"

#include <algorithm>
#include <filesystem>

#include <rnx/report/table_text.hpp>

#include "sweep_file.hpp"

namespace tools {

using namespace rnx;
namespace fs = std::filesystem;

namespace {

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}
/// "runs/pgd/" is called "pgd".
std::string label_of(const fs::path& folder) {
  const fs::path path = fs::absolute(folder).lexically_normal();
  return (path.has_filename() ? path : path.parent_path()).filename().string();
}

/// The runs of one folder: itself, a sweep's rows in their order, or the runs in it by their names.
std::vector<report::TableRow> rows_in(const fs::path& folder, const std::string& program) {
  if (is_there(folder / "run.json")) return {{.label = label_of(folder), .runs = {folder}}};
  std::vector<report::TableRow> rows;
  if (is_there(folder / "sweep.json")) {
    for (const Json& row : read_sweep(folder, program)) {
      const std::string name = row.at("name");
      rows.push_back({.label = name, .runs = {folder / name}});
    }
    return rows;
  }
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error))
    if (is_there(entry->path() / "run.json"))
      rows.push_back({.label = label_of(entry->path()), .runs = {entry->path()}});
  require<FileError>(!error && !rows.empty(), [&] {
    return folder.string() + ": expected a run, a sweep or a folder of runs, found " +
           (error ? error.message() : std::string("none"));
  });
  std::sort(rows.begin(), rows.end(),
            [](const auto& a, const auto& b) { return a.label < b.label; });
  return rows;
}

std::vector<report::TableRow> gather(const std::vector<std::string>& folders,
                                     const std::string& program) {
  std::vector<report::TableRow> all;
  for (const std::string& folder : folders)
    for (report::TableRow& row : rows_in(folder, program)) {
      if (folders.size() > 1 && row.runs[0] != fs::path(folder)) row.group = label_of(folder);
      all.push_back(std::move(row));
    }
  return all;
}

/// Clean accuracy (on all test images, where a report has that) and the one under the reports'
/// attack; the first report says which. Runs that were attacked otherwise are refused.
std::vector<report::TableColumn> columns_of(const std::vector<report::TableRow>& rows) {
  Json model = nullptr;
  for (const report::TableRow& row : rows) {
    const fs::path file = report::detail::find_in_run(row.runs[0], "report.json");
    if (file.empty() || !model.is_null()) continue;
    const Json report = report::detail::read_object(file);
    if (const Json* found = report::detail::value_at(report, "/models/0")) model = *found;
  }
  report::TableColumn clean = report::clean_column("clean [%]");
  if (report::detail::value_at(model, "/details/clean_all")) {
    clean.path = "/models/0/details/clean_all/accuracy";
    clean.compares = {"/settings/fingerprint", "/models/0/details/clean_all/n"};
  }
  std::vector<report::TableColumn> columns{clean};
  const std::string attack = model.is_object() ? model.value("attack", "clean") : "clean";
  if (attack != "clean")
    columns.push_back(report::robust_column(
        fmt::format("{}, {} {} [%]", attack, model.value("norm", ""), model.value("eps", ""))));
  return columns;
}

int write_table(const std::vector<std::string>& folders, const std::string& format,
                const std::string& title, const std::string& out, const std::string& program) {
  require_known("--format", format, {"md", "csv", "html"});
  require(!folders.empty(), "expected folders of runs");
  if (!out.empty()) require_writable_file("--out", out);
  const std::vector<report::TableRow> rows = gather(folders, program);
  const report::Table table(title, columns_of(rows), rows);
  const std::string text = format == "md"    ? report::to_markdown(table)
                           : format == "csv" ? report::to_csv(table)
                                             : report::to_html(table);
  if (out.empty())
    write_out(text);
  else
    io::write_file(out, text);
  return 0;
}

}  // namespace

void add_table_verb(App& app) {
  const std::string program = app.name();
  app.verb("table", "gathers runs into a table", [program](const App::Arguments& arguments) {
    App verb(program + " table", "Gathers runs, sweeps and folders of runs into a table.");
    std::vector<std::string> folders;
    std::string format = "md", title = "Runs of " + program, out;
    verb.cli.add_option("runs", folders, "run directories, sweeps, folders of runs")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    verb.cli.add_option("--format", format, "md | csv | html");
    verb.cli.add_option("--title", title, "stands above it");
    verb.cli.add_option("--out", out, "file to write (else stdout)");
    return verb.run(arguments, [&] { return write_table(folders, format, title, out, program); });
  });
}

}  // namespace tools
