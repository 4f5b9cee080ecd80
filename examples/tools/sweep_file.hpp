// What a sweep's rows are: in the file that asks for them, and in the sweep.json that says what a
// folder holds.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <rnx/core/error.hpp>

#include "settings.hpp"

namespace tools {

struct NamedSettings {
  std::string name;
  Json values = Json::object();  ///< those of all rows, and over them its own
};
/// Errors: UsageError (no rows, a name that is none or is there twice).
std::vector<NamedSettings> rows_of(const Settings& file);

/// "2/8": the 2nd of every 8 rows.
struct Shard {
  std::size_t index = 1, count = 1;
  /// Errors: UsageError (no shard, or one that gets none of the rows).
  static Shard parse(const std::string& text, std::size_t rows);
};

/// "row a: lr was 0.2 and is 0.1", or "" where both lists of rows are the same.
std::string sweep_difference(const Json& stored, const Json& now);
/// The rows that a folder's sweep.json names, with their options. Errors: UsageError (another
/// program's), FileError.
Json read_sweep(const std::filesystem::path& folder, const std::string& program);
/// Refuses a folder whose sweep.json says something else. Errors: UsageError, FileError.
void require_same_sweep(const std::filesystem::path& folder, const std::string& program,
                        const Json& rows);
/// Makes the folder and its sweep.json, or checks that it says the same. Errors: UsageError (it is
/// another sweep's, or a run's), FileError.
void describe_sweep(const std::filesystem::path& folder, const std::string& program,
                    const Json& rows);

/// What f() returns; a sentence of it that does not begin with `where` yet is made to.
template <class F> auto about(const std::string& where, F&& f) {
  const auto whole = [&](const std::string& sentence) {
    return sentence.starts_with(where) ? sentence : where + ": " + sentence;
  };
  try {
    return f();
  } catch (const rnx::UsageError& e) {
    throw rnx::UsageError(whole(e.what()));
  } catch (const rnx::FileError& e) {
    throw rnx::FileError(whole(e.what()));
  }
}

}  // namespace tools
