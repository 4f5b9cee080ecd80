// run.json: which program made a folder, with which options, when and where.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "toml.hpp"

namespace tools {

/// "batch was 128 and is 64", or "" where both say the same.
std::string first_difference(const Json& stored, const Json& now);

/// What the run.json of a folder says; null where there is none. Errors: UsageError that begins
/// with `option` (it is another program's folder), FileError (it is damaged).
Json read_run_json(const std::string& option, const std::filesystem::path& folder,
                   const std::string& program);
/// Whether a run.json says that its run came to its end.
bool is_finished(const Json& run);

/// A run.json that begins: program, version, options.
Json begin_run_json(const std::string& program, const Json& options);
/// Of now, in UTC.
std::string now_text();
/// What the last bits of numbers depend on: the instruction set; in a program whose networks live
/// on another device "cuda, avx2".
std::string arithmetic();
/// Of a start: time, command, instruction set, threads, compiler.
Json this_start(const std::string& program, const std::vector<std::string>& arguments);
/// Arguments and names of files need not be UTF-8.
std::string text_of(const Json& json);

}  // namespace tools
