#include "sweep_file.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <rnx/io/file.hpp>

#include "numbers.hpp"
#include "outputs.hpp"
#include "run_json.hpp"

namespace tools {

using namespace rnx;
namespace fs = std::filesystem;

namespace {

/// A folder of that name is made: no separators, nothing hidden.
bool is_name(const std::string& name) {
  return !name.empty() && name.size() <= 100 && name[0] != '.' && name[0] != '-' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '_' || c == '-';
         });
}

std::string name_of(const Json& row, const std::string& where) {
  const Json name = row.is_object() ? row.value("name", Json()) : Json();
  require(name.is_string() && is_name(name.get<std::string>()), [&] {
    return where + ": expected rows with a name of letters, digits, '.', '_' and '-', found " +
           name.dump(-1, ' ', false, Json::error_handler_t::replace);
  });
  return name.get<std::string>();
}

}  // namespace

std::vector<NamedSettings> rows_of(const Settings& file) {
  Json common = file.values;
  const Json rows = common.value("rows", Json());
  require(rows.is_array() && !rows.empty(),
          [&] { return file.where + ": expected a list `rows` of at least one row, found none"; });
  common.erase("rows");
  std::vector<NamedSettings> list;
  for (const Json& row : rows) {
    NamedSettings named{name_of(row, file.where), common};
    for (const NamedSettings& other : list)
      require(other.name != named.name,
              [&] { return file.where + ": the row " + named.name + " is there twice"; });
    named.values.update(row);
    named.values.erase("name");
    list.push_back(std::move(named));
  }
  return list;
}

Shard Shard::parse(const std::string& text, std::size_t rows) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const auto part = [&](const std::string& digits, std::size_t least, std::size_t most) {
    try {
      return whole<std::size_t>("--shard", digits, {.least = least, .most = most});
    } catch (const UsageError&) {
      throw UsageError("--shard: expected I/N with I from 1 to N, found '" + text + "'");
    }
  };
  Shard shard;
  shard.count = part(text.substr(std::min(slash + 1, text.size())), 1, 1000000);
  shard.index = part(text.substr(0, slash), 1, shard.count);
  require(shard.index <= rows,
          [&] { return fmt::format("--shard: {} gets none of the {} rows", text, rows); });
  return shard;
}

std::string sweep_difference(const Json& stored, const Json& now) {
  for (std::size_t k = 0; k < std::max(stored.size(), now.size()); ++k) {
    const auto name = [&](const Json& rows) {
      return k < rows.size() ? rows[k].at("name").get<std::string>() : "not there";
    };
    if (name(stored) != name(now))
      return fmt::format("row {} was {} and is {}", k + 1, name(stored), name(now));
    const std::string difference = first_difference(stored[k].at("options"), now[k].at("options"));
    if (!difference.empty()) return "row " + name(now) + ": " + difference;
  }
  return "";
}

Json read_sweep(const fs::path& folder, const std::string& program) {
  const fs::path file = folder / "sweep.json";
  Json sweep = Json::parse(io::read_file(file, 256 << 20), nullptr, false);
  const auto is_row = [](const Json& row) {
    return row.is_object() && row.contains("name") && row["name"].is_string() &&
           is_name(row["name"].get<std::string>()) && row.contains("options");
  };
  const Json rows = sweep.is_object() ? sweep.value("rows", Json()) : Json();
  require<FileError>(rows.is_array() && std::all_of(rows.begin(), rows.end(), is_row), [&] {
    return file.string() + ": expected the sweep.json of a sweep, found something else";
  });
  require(sweep.value("program", Json()) == program,
          [&] { return folder.string() + " holds a sweep of another program"; });
  return rows;
}

void require_same_sweep(const fs::path& folder, const std::string& program, const Json& rows) {
  std::error_code error;
  if (!fs::exists(folder / "sweep.json", error)) return;
  const std::string difference = sweep_difference(read_sweep(folder, program), rows);
  require(difference.empty(), [&] {
    return "--out: " + folder.string() + " holds another sweep: " + difference +
           "; choose another folder";
  });
}

void describe_sweep(const fs::path& folder, const std::string& program, const Json& rows) {
  make_writable("--out", folder);
  std::error_code error;
  if (!fs::exists(folder / "sweep.json", error)) {
    require(!fs::exists(folder / "run.json", error),
            [&] { return "--out: " + folder.string() + " holds a run; choose another folder"; });
    Json sweep = begin_run_json(program, nullptr);
    sweep.erase("options");
    sweep["rows"] = rows;
    io::write_file(folder / "sweep.json", text_of(sweep));
  }
  require_same_sweep(folder, program, rows);  // another shard may have written at the same time
}

}  // namespace tools
