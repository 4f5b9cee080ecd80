#include "run_directory.hpp"

#include <ctime>

#include "app.hpp"

namespace tools {

using namespace rnx;
namespace fs = std::filesystem;
using Json = RunDirectory::Json;

namespace {

Json read_run(const fs::path& path) {
  const Json json = Json::parse(io::read_file(path, 16 << 20), nullptr, false);
  const auto starts = json.is_object() ? json.find("starts") : json.end();
  const bool fine = json.is_object() && json.contains("configuration") && starts != json.end() &&
                    starts->is_array() && !starts->empty() && starts->back().is_object();
  require<FileError>(fine, [&] {
    return path.string() + ": expected the run.json of a run, found something else";
  });
  return json;
}
/// Arguments need not be UTF-8.
std::string text_of(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json this_start(const std::vector<std::string>& arguments) {
  char now[32];
  const std::time_t t = std::time(nullptr);
  std::strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&t));
  return {{"time", now},
          {"command", fmt::format("rnx-train {}", fmt::join(arguments, " "))},
          {"instruction_set", instruction_set()},
          {"threads", host::threads()},
          {"compiler", __VERSION__}};
}

/// The way on for a run that is not to be continued as it was.
std::string new_run(const train::Checkpoints& checkpoints, const fs::path& out) {
  std::error_code error;
  fs::path weights = out / "model.safetensors";
  if (!fs::exists(weights, error)) {
    const std::string latest = checkpoints.marked("LATEST");
    if (latest.empty()) return "choose another folder";
    weights = checkpoints.path(latest) / "model.safetensors";
  }
  return "choose another folder, or start a new run from its weights: --init " + weights.string() +
         " --out NEW";
}

}  // namespace

void RunDirectory::require_place(const std::string& out) {
  const fs::path folder(out);
  require_can_hold("--out", folder);
  for (const char* name : {"ckpt", "eval/final"}) require_can_hold("--out", folder / name);
  for (const char* name :
       {"run.json", "log.jsonl", "metrics.csv", "model.safetensors", "eval/final/report.json"})
    require_writable_file("--out", folder / name);
}

RunDirectory::RunDirectory(const std::string& out, const std::string& resume, int keep,
                           const Json& configuration, const Json& facts,
                           const std::vector<std::string>& arguments)
    : out_(out),
      checkpoints_(out_ / "ckpt", keep) {
  require_place(out);
  make_writable("--out", out);
  lock_ = FolderLock("--out", out, "rnx-train");
  if (resume == "auto")
    checkpoints_.recover([](const std::string& sentence) { complain("rnx-train: " + sentence); });
  const fs::path file = out_ / "run.json";
  std::error_code error;
  if (fs::status(file, error).type() != fs::file_type::not_found) {
    Json run = read_run(file);
    require(resume == "auto", [&] {
      return "--out: " + out + " holds a run; " +
             (resume == "never" ? "choose another folder, or --resume auto"
                                : "--resume PATH starts another one: choose another folder");
    });
    const std::string difference = train::first_difference(run["configuration"], configuration);
    require(difference.empty(), [&] {
      return "--out: " + out + " holds a run of another configuration: " + difference + "; " +
             new_run(checkpoints_, out_);
    });
    const Json before = run["starts"].back();
    if (before.contains("instruction_set") && before["instruction_set"] != instruction_set())
      complain(
          fmt::format("rnx-train: this run was started with the instruction set {}, now it is {}: "
                      "the last bits may differ",
                      before["instruction_set"].dump(), instruction_set()));
    run["starts"].push_back(this_start(arguments));
    run_json_ = text_of(run);
    io::write_file(file, run_json_);
    return;
  }
  if (const std::string latest = checkpoints_.marked("LATEST"); !latest.empty()) {
    require(resume == "auto", [&] {
      return "--out: " + out + " holds checkpoints; choose another folder, or --resume auto";
    });
    const std::string difference = train::first_difference(
        checkpoints_.state(latest).value("configuration", Json()), configuration);
    require(difference.empty(), [&] {
      return "--out: " + out + " holds checkpoints of another configuration: " + difference + "; " +
             new_run(checkpoints_, out_);
    });
  } else if (resume != "auto" && resume != "never") {
    import(resume, configuration);
  }
  Json run{
      {"program", "rnx-train"},
      {"version", fmt::format("{}.{}.{}", RNX_VERSION_MAJOR, RNX_VERSION_MINOR, RNX_VERSION_PATCH)},
      {"configuration", configuration}};
  run.update(facts);
  run["starts"] = Json::array({this_start(arguments)});
  run_json_ = text_of(run);
  io::write_file(file, run_json_);
}

void RunDirectory::restore_if_deleted() {
  std::error_code error;
  if (fs::status(out_ / "run.json", error).type() != fs::file_type::not_found) return;
  complain("rnx-train: " + (out_ / "run.json").string() +
           " was deleted while the run goes on; it is written again, logs begin anew");
  make_writable("--out", out_.string());
  lock_ = {};  // where only run.json is gone the lock is ours
  lock_ = FolderLock("--out", out_, "rnx-train");
  io::write_file(out_ / "run.json", run_json_);
}

long RunDirectory::done() const {
  const std::string latest = checkpoints_.marked("LATEST");
  return latest.empty() ? 0 : std::stol(latest);  // a checkpoint's name is its number
}

void RunDirectory::import(const std::string& text, const Json& configuration) {
  fs::path from = fs::path(text).lexically_normal();
  if (!from.has_filename()) from = from.parent_path();  // "ckpt/000123/", as shells complete it
  std::error_code error;
  if (fs::exists(from / "ckpt" / "LATEST", error)) from = from / "ckpt";
  const bool of_many = fs::exists(from / "LATEST", error);
  const train::Checkpoints others(of_many ? from : from.parent_path());
  const train::Checkpoints::Newest newest =
      of_many ? others.newest() : train::Checkpoints::Newest{from.filename().string(), {}};
  const std::string source = newest.name;
  for (const auto& damaged : newest.damaged)
    complain("rnx-train: --resume: " + damaged.sentence + "; " + source + " is taken");
  require<FileError>(fs::exists(others.path(source) / "state.json", error),
                     [&] { return "--resume: " + text + " holds no checkpoint"; });
  const Json state = others.state(source);
  const std::string difference =
      train::first_difference(state.value("configuration", Json()), configuration);
  require(difference.empty(), [&] {
    const std::string weights = (others.path(source) / "model.safetensors").string();
    return "--resume: " + text + " is of another configuration: " + difference + "; --init " +
           weights + " starts a new run from its weights";
  });
  const std::string name =
      train::Checkpoints::name_of(state.value("number", 0l));  // the folder may have been renamed
  fs::create_directories(out_ / "ckpt", error);
  fs::copy(others.path(source), checkpoints_.path(name),
           fs::copy_options::recursive | fs::copy_options::overwrite_existing, error);
  require<FileError>(!error, [&] {
    return "--resume: " + others.path(source).string() + " cannot be copied: " + error.message();
  });
  io::write_file(checkpoints_.path("LATEST"), name + "\n");
}

}  // namespace tools
