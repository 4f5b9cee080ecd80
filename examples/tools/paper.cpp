#include "paper.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "numbers.hpp"
#include "outputs.hpp"

#include <rnx/io/file.hpp>
#include <rnx/report.hpp>
#include <rnx/report/table_text.hpp>

namespace paper {

using namespace rnx;
namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}
Json read_json(const fs::path& path) {
  Json json = Json::parse(io::read_file(path, 64 << 20), nullptr, false);
  require<FileError>(json.is_object(), [&] {
    return path.string() + ": expected a JSON object, found something else";
  });
  return json;
}
bool is_measured(const fs::path& file, const Json& facts) {
  if (!is_there(file)) return false;
  const Json there = read_json(file);
  for (const auto& [key, value] : facts.items())
    if (!there.contains(key) || there.at(key) != value) return false;
  return true;
}
Json with(Json settings, const Json& more) {
  settings.update(more);
  return settings;
}
std::string difference(const Json& paper, const Json& own) {
  std::string text;
  for (const auto& [key, value] : own.items()) {
    if (key.starts_with("eval-") || key.starts_with("final-")) continue;
    const auto printed = paper.find(key);
    if (printed != paper.end() && *printed == value) continue;
    text += fmt::format("{}{} {}{}", text.empty() ? "" : ", ", key,
                        printed == paper.end() ? "" : printed->dump() + " \u2192 ", value.dump());
  }
  std::erase(text, '"');
  return text;
}

std::string fired_checks(const Json& checks, const std::string& run) {
  std::string text;
  for (const auto& check : checks) {
    const std::string verdict = check.value("verdict", "");
    if (verdict == "fired" || verdict == "informative")
      text +=
          fmt::format("- {}: {} {}: {}\n", run, check.value("name", ""),
                      verdict == "fired" ? "fired" : "is informative", check.value("advice", ""));
  }
  return text;
}

const tools::DataSet& Images::of(const tools::DataOptions& o, bool train) {
  const std::string key = fmt::format("{} {} {} {} {} {} {}", o.dataset, o.dir, o.n_train, o.n_test,
                                      o.groups, o.image_size, train);
  for (const auto& opened : opened_)
    if (opened->key == key) return opened->set;
  opened_.push_back(std::make_unique<Opened>(Opened{key, tools::open_data(o, train, true)}));
  return opened_.back()->set;
}

void Arguments::add_options(CLI::App& cli, const std::string& presets) {
  cli.add_option("--preset", preset, "the plan: " + presets);
  cli.add_option("--data", data, "folder of CIFAR-10's binary files");
  cli.add_option("--out", out, "folder of all runs, tables and figures");
  tools::add_texts(cli, "--only", only, "names of rows: the others are left out");
  tools::add_reals(cli, "--seeds", seeds, {}, "in the place of the preset's");
  tools::add_whole(cli, "--threads", threads, {.most = host::max_threads}, "0: all");
  cli.add_option("--progress", progress, "auto | bar | plain | json | off");
}

int guarded(const std::string& program, const std::string& row, const std::function<int()>& run) {
  try {
    return run();
  } catch (const Stopped&) {
    return tools::stopped_status();
  } catch (const Error& e) {
    tools::complain(program + ": row " + row + ": " + e.what());
    return e.exit_code();
  }
}

fs::path folder_of(const fs::path& out, const std::string& row, int seed) {
  return out / fmt::format("{}-s{}", row, seed);
}
std::vector<fs::path> runs_of(const std::vector<int>& seeds, const fs::path& out,
                              const std::string& row) {
  std::vector<fs::path> runs;
  for (const int seed : seeds) runs.push_back(folder_of(out, row, seed));
  return runs;
}
std::optional<double> mean_of(const std::vector<fs::path>& runs,
                              const report::TableColumn& column) {
  std::vector<double> values;
  for (const fs::path& run : runs)
    if (const auto v = report::detail::find_value(run, column).value)
      values.push_back(column.scale * *v);
  return values.empty() ? std::optional<double>() : eval::mean(values).value;
}
report::Table gather(const PaperTable& table, const std::vector<int>& seeds, const fs::path& out) {
  std::vector<report::TableRow> rows;
  for (const Line& line : table.lines)
    rows.push_back({.label = line.label,
                    .runs = runs_of(seeds, out, line.row),
                    .paper = line.printed,
                    .group = line.group,
                    .own = line.own});
  return {fmt::format("Table {}: {}", table.number, table.title), table.columns, std::move(rows)};
}
std::string write_table(const report::Table& table, const fs::path& folder, const std::string& name,
                        const std::string& text) {
  const std::string markdown = report::to_markdown(table) + "\n" + text + "\n";
  io::write_file(folder / (name + ".md"), markdown);
  io::write_file(folder / (name + ".csv"), report::to_csv(table));
  io::write_file(folder / (name + ".html"), report::to_html(table));
  return markdown;
}

}  // namespace paper
