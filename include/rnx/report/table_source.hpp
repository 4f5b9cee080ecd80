// Values out of run directories, for tables: at a JSON path of a file, or out of a log's lines.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "rnx/io/file.hpp"
#include "rnx/report/figure.hpp"

namespace rnx::inline RNX_ISA::report {

/// Which line of a log counts; a file that is one JSON object has `value`.
enum class Pick : unsigned char { value, last, best };

/// A column of a table: where its value is found in each run directory, how it is shown, what must
/// be equal in all of them. Paths are JSON pointers, "/models/0/robust_acc".
struct TableColumn {
  std::string name;  ///< "PGD-20 [%]"
  std::string path;
  /// in the run directory, or in its eval/final
  std::string file = "report.json";
  Pick pick = Pick::value;
  Better better = Better::higher;  ///< for Pick::best
  double scale = 1;                ///< what is shown is scale times the value
  int digits = 2;                  ///< after the point
  double tolerance = 0;            ///< to printed values, in the units that are shown
  /// paths in `file` (of a log: in run.json) whose values must be equal in all runs of the column
  std::vector<std::string> compares{};
};

namespace detail {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

inline bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

/// Where the file of that name is; empty: nowhere.
inline fs::path find_in_run(const fs::path& run, const std::string& file) {
  for (const fs::path& path : {run / file, run / "eval/final" / file})
    if (is_there(path)) return path;
  return {};
}

inline Json::json_pointer pointer(const std::string& path) {
  try {
    return Json::json_pointer(path);
  } catch (const Json::exception&) {
    throw UsageError("table: " + io::in_quotes(path) +
                     " is no path into JSON: expected one like \"/models/0/clean_acc\"");
  }
}

/// nullptr: not there.
inline const Json* value_at(const Json& json, const std::string& path) {
  const Json::json_pointer at = pointer(path);
  return json.contains(at) ? &json.at(at) : nullptr;
}

inline Json read_object(const fs::path& path) {
  Json json = Json::parse(io::read_file(path, 256 << 20), nullptr, false);
  require<FileError>(json.is_object(), [&] {
    return path.string() + ": expected a JSON object, found something else";
  });
  return json;
}

/// null and what is not there are no value.
inline std::optional<double> number_at(const Json& json, const std::string& path,
                                       const std::string& where) {
  const Json* value = value_at(json, path);
  if (value == nullptr || value->is_null()) return {};
  require<FileError>(value->is_number(), [&] {
    return where + ": expected a number at " + path + ", found a " + value->type_name();
  });
  const double number = value->get<double>();
  return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

/// The last or the best of the lines that have it; a line without an end is not there yet.
inline std::optional<double> number_in_log(const fs::path& path, const TableColumn& c) {
  const std::string text = io::read_file(path, 1 << 30);
  std::optional<double> found;
  long number = 0;
  for (std::size_t at = 0, end; (end = text.find('\n', at)) != text.npos; at = end + 1) {
    const std::string where = path.string() + ", line " + std::to_string(++number);
    const Json line =
        Json::parse(text.begin() + long(at), text.begin() + long(end), nullptr, false);
    require<FileError>(line.is_object(),
                       [&] { return where + ": expected a JSON object, found something else"; });
    const std::optional<double> value = number_at(line, c.path, where);
    if (!value) continue;
    const bool better = found && (c.better == Better::higher ? *value > *found : *value < *found);
    if (!found || c.pick == Pick::last || better) found = value;
  }
  return found;
}

/// What a column finds in a run.
struct Found {
  std::optional<double> value;  ///< none: the run, its file or the value is missing
  fs::path facts{};             ///< the file of what is compared
  std::vector<std::pair<std::string, std::string>> compared{};  ///< path, value as JSON
};

/// Errors: FileError (a file that is damaged, holds something else than a number, or lacks what the
/// column compares).
inline Found find_value(const fs::path& run, const TableColumn& c) {
  const fs::path path = find_in_run(run, c.file);
  if (path.empty()) return {};
  const bool log = c.pick != Pick::value;
  Found found;
  found.value = log ? number_in_log(path, c) : number_at(read_object(path), c.path, path.string());
  if (!found.value || c.compares.empty()) return found;
  found.facts = log ? run / "run.json" : path;
  const Json facts = read_object(found.facts);
  for (const std::string& compared : c.compares) {
    const Json* value = value_at(facts, compared);
    require<FileError>(value != nullptr, [&] {
      return found.facts.string() + ": there is no " + compared + ", which the column " +
             io::in_quotes(c.name) + " compares";
    });
    found.compared.emplace_back(compared,
                                value->dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  return found;
}

}  // namespace detail

/// The share of clean images that are right, in %, of a report's model; compared on the same
/// images.
inline TableColumn clean_column(const std::string& name, int model = 0) {
  const std::string at = "/models/" + std::to_string(model);
  return {.name = name,
          .path = at + "/clean_acc",
          .scale = 100,
          .compares = {"/settings/fingerprint", at + "/n"}};
}
/// The same under attack; compared on the same images, attack, norm and eps.
inline TableColumn robust_column(const std::string& name, int model = 0) {
  const std::string at = "/models/" + std::to_string(model);
  return {
      .name = name,
      .path = at + "/robust_acc",
      .scale = 100,
      .compares = {"/settings/fingerprint", at + "/n", at + "/attack", at + "/norm", at + "/eps"}};
}

}  // namespace rnx::inline RNX_ISA::report
