// Settings: values of options by name, out of files and back.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "toml.hpp"

namespace tools {

/// Options that the result does not depend on, by their group in --help: threads, folders,
/// checkpoints. A run.json does not hold them.
inline constexpr const char* of_call = "Of this call, not of the result";

/// Values by the names of options, without dashes; typed, as JSON is.
struct Settings {
  Json values = Json::object();
  std::string where{};  ///< the file, which begins the sentences about them
};

/// A JSON object or TOML. Errors: FileError.
Settings read_settings_file(const std::string& file);
/// The same; of a run.json the options that its run had. Errors: UsageError (another program's
/// run.json, or one that holds no options), FileError.
Settings read_settings(const std::string& file, const std::string& program);

/// The values of an option as the command line takes them. Errors: UsageError (a value of another
/// type than the option's).
std::vector<std::string> texts_of(const CLI::Option& option, const Json& value,
                                  const std::string& where);
/// What was parsed, or else the defaults, of all options that a file may hold. with_call: those of
/// this call, too.
Json effective_options(const CLI::App& cli, bool with_call);

}  // namespace tools
