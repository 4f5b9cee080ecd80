#include "run_json.hpp"

#include <ctime>

#include <fmt/format.h>

#include <rnx/core.hpp>
#include <rnx/io/file.hpp>
#include <rnx/train/checkpoint_state.hpp>

namespace tools {

using namespace rnx;
namespace fs = std::filesystem;

std::string first_difference(const Json& stored, const Json& now) {
  return train::first_difference(stored, now);
}

Json read_run_json(const std::string& option, const fs::path& folder, const std::string& program) {
  const fs::path file = folder / "run.json";
  std::error_code error;
  if (fs::status(file, error).type() == fs::file_type::not_found) return nullptr;
  Json run = Json::parse(io::read_file(file, 16 << 20), nullptr, false);
  require<FileError>(run.is_object() && run.contains("program") && run["program"].is_string(), [&] {
    return file.string() + ": expected the run.json of a run, found something else";
  });
  const std::string theirs = run["program"].get<std::string>();
  require(theirs == program, [&] {
    return option + ": " + folder.string() + " holds a run of another program, " + theirs +
           "; choose another folder";
  });
  return run;
}

bool is_finished(const Json& run) { return run.is_object() && run.contains("finished"); }

Json begin_run_json(const std::string& program, const Json& options) {
  return {
      {"program", program},
      {"version", fmt::format("{}.{}.{}", RNX_VERSION_MAJOR, RNX_VERSION_MINOR, RNX_VERSION_PATCH)},
      {"options", options}};
}

std::string now_text() {
  char now[32];
  const std::time_t t = std::time(nullptr);
  std::strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&t));
  return now;
}

std::string arithmetic() {
  const std::string host = instruction_set();
  return std::is_same_v<default_device, cpu> ? host
                                             : std::string(default_device::name) + ", " + host;
}

Json this_start(const std::string& program, const std::vector<std::string>& arguments) {
  return {{"time", now_text()},
          {"command", fmt::format("{} {}", program, fmt::join(arguments, " "))},
          {"instruction_set", arithmetic()},
          {"threads", host::threads()},
          {"compiler", __VERSION__}};
}

std::string text_of(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tools
