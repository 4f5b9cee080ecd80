#include "run_directory.hpp"

#include <fmt/format.h>

#include "run_json.hpp"

namespace tools {

using namespace rnx;
namespace fs = std::filesystem;

namespace {

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

RunDirectory::RunDirectory(RunPlan plan)
    : plan_(std::move(plan)),
      out_(plan_.out),
      checkpoints_(out_ / "ckpt", plan_.keep) {
  require_place(plan_.out);
  make_writable("--out", out_);
  lock_ = FolderLock("--out", out_, plan_.program);
  if (plan_.resume == "auto")
    checkpoints_.recover([this](const std::string& sentence) { complain(sentence); });
  run_ = read_run_json("--out", out_, plan_.program);
  if (run_.is_null()) {
    begin();
    run_ = begin_run_json(plan_.program, plan_.options);
    run_["configuration"] = plan_.configuration;
    run_.update(plan_.facts);
    run_["starts"] = Json::array();
  } else {
    go_on();
  }
  run_["starts"].push_back(this_start(plan_.program, plan_.arguments));
  write();
}

/// What run.json says is this run. Errors: UsageError (another one), FileError (it says nothing).
void RunDirectory::go_on() {
  const auto starts = run_.find("starts");
  require<FileError>(run_.contains("configuration") && starts != run_.end() && starts->is_array() &&
                         !starts->empty() && starts->back().is_object(),
                     [&] {
                       return (out_ / "run.json").string() +
                              ": expected the run.json of a run, found something else";
                     });
  require(plan_.resume == "auto", [&] {
    return "--out: " + plan_.out + " holds a run; " +
           (plan_.resume == "never" ? "choose another folder, or --resume auto"
                                    : "--resume PATH starts another one: choose another folder");
  });
  const std::string difference = first_difference(run_["configuration"], plan_.configuration);
  require(difference.empty(), [&] {
    return "--out: " + plan_.out + " holds a run of another configuration: " + difference + "; " +
           new_run(checkpoints_, out_);
  });
  const Json before = starts->back().value("instruction_set", Json());
  if (!before.is_null() && before != arithmetic())
    complain(
        fmt::format("this run was started with the instruction set {}, now it is {}: the last bits "
                    "may differ",
                    before.dump(), arithmetic()));
  run_["options"] = plan_.options;  // what the configuration does not say may have changed
}

/// There is no run.json, but there may be checkpoints, here or where --resume says.
void RunDirectory::begin() {
  const std::string& resume = plan_.resume;
  if (const std::string latest = checkpoints_.marked("LATEST"); !latest.empty()) {
    require(resume == "auto", [&] {
      return "--out: " + plan_.out + " holds checkpoints; choose another folder, or --resume auto";
    });
    const std::string difference = first_difference(
        checkpoints_.state(latest).value("configuration", Json()), plan_.configuration);
    require(difference.empty(), [&] {
      return "--out: " + plan_.out + " holds checkpoints of another configuration: " + difference +
             "; " + new_run(checkpoints_, out_);
    });
  } else if (resume != "auto" && resume != "never") {
    import(resume);
  }
}

void RunDirectory::complain(const std::string& sentence) const {
  tools::complain(plan_.program + ": " + sentence);
}

void RunDirectory::write() { io::write_file(out_ / "run.json", text_of(run_)); }

void RunDirectory::finish() {
  run_["finished"] = now_text();
  write();
}

void RunDirectory::restore_if_deleted() {
  std::error_code error;
  if (fs::status(out_ / "run.json", error).type() != fs::file_type::not_found) return;
  complain((out_ / "run.json").string() +
           " was deleted while the run goes on; it is written again, logs begin anew");
  make_writable("--out", out_);
  lock_ = {};  // where only run.json is gone the lock is ours
  lock_ = FolderLock("--out", out_, plan_.program);
  write();
}

long RunDirectory::done() const {
  const std::string latest = checkpoints_.marked("LATEST");
  return latest.empty() ? 0 : std::stol(latest);  // a checkpoint's name is its number
}

void RunDirectory::import(const std::string& text) {
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
    complain("--resume: " + damaged.sentence + "; " + source + " is taken");
  require<FileError>(fs::exists(others.path(source) / "state.json", error),
                     [&] { return "--resume: " + text + " holds no checkpoint"; });
  const Json state = others.state(source);
  const std::string difference =
      first_difference(state.value("configuration", Json()), plan_.configuration);
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
