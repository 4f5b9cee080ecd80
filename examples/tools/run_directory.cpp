#include "run_directory.hpp"

#include <ctime>

#include <sys/file.h>
#include <unistd.h>

#include "app.hpp"

namespace tools {

using namespace rnx;
namespace fs = std::filesystem;
using Json = RunDirectory::Json;

namespace {

Json read_run(const fs::path& path) {
  const Json json = Json::parse(io::read_file(path, 16 << 20), nullptr, false);
  const auto starts = json.is_object() ? json.find("starts") : json.end();
  const bool fine = json.is_object() && json.contains("configuration") && starts != json.end() && starts->is_array() && !starts->empty() && starts->back().is_object();
  require<FileError>(fine, [&] { return path.string() + ": expected the run.json of a run, found something else"; });
  return json;
}
/// Arguments need not be UTF-8.
std::string text_of(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

Json this_start(const std::vector<std::string>& arguments) {
  char now[32];
  const std::time_t t = std::time(nullptr);
  std::strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&t));
  return {{"time", now}, {"command", fmt::format("rnx-train {}", fmt::join(arguments, " "))}, {"instruction_set", instruction_set()}, {"threads", host::threads()}, {"compiler", __VERSION__}};
}

}  // namespace

RunDirectory::RunDirectory(const std::string& out, const std::string& resume, int keep, const Json& configuration, const Json& facts, const std::vector<std::string>& arguments)
    : out_(out), checkpoints_(out_ / "ckpt", keep) {
  make_writable("--out", out);
  lock();
  if (resume == "auto") checkpoints_.recover([](const std::string& sentence) { complain("rnx-train: " + sentence); });
  const fs::path file = out_ / "run.json";
  std::error_code error;
  if (fs::status(file, error).type() != fs::file_type::not_found) {
    Json run = read_run(file);
    require(resume == "auto", [&] { return "--out: " + out + " holds a run; " + (resume == "never" ? "choose another folder, or --resume auto" : "--resume PATH starts another one: choose another folder"); });
    const std::string difference = train::first_difference(run["configuration"], configuration);
    require(difference.empty(), [&] { return "--out: " + out + " holds a run of another configuration: " + difference + "; choose another folder"; });
    const Json before = run["starts"].back();
    if (before.contains("instruction_set") && before["instruction_set"] != instruction_set())
      complain(fmt::format("rnx-train: this run was started with the instruction set {}, now it is {}: the last bits may differ", before["instruction_set"].dump(), instruction_set()));
    run["starts"].push_back(this_start(arguments));
    io::write_file(file, text_of(run));
    return;
  }
  if (const std::string latest = checkpoints_.marked("LATEST"); !latest.empty()) {
    require(resume == "auto", [&] { return "--out: " + out + " holds checkpoints; choose another folder, or --resume auto"; });
    const std::string difference = train::first_difference(checkpoints_.state(latest).value("configuration", Json()), configuration);
    require(difference.empty(), [&] { return "--out: " + out + " holds checkpoints of another configuration: " + difference + "; choose another folder"; });
  } else if (resume != "auto" && resume != "never") {
    import(resume, configuration);
  }
  Json run{{"program", "rnx-train"}, {"version", fmt::format("{}.{}.{}", RNX_VERSION_MAJOR, RNX_VERSION_MINOR, RNX_VERSION_PATCH)}, {"configuration", configuration}};
  run.update(facts);
  run["starts"] = Json::array({this_start(arguments)});
  io::write_file(file, text_of(run));
}

long RunDirectory::done() const {
  const std::string latest = checkpoints_.marked("LATEST");
  return latest.empty() ? 0 : std::stol(latest);  // a checkpoint's name is its number
}

void RunDirectory::lock() {
  const fs::path file = out_ / ".lock";
  lock_ = io::detail::Descriptor(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  const int code = errno;
  require<FileError>(lock_.get() >= 0, [&] { return file.string() + ": cannot be opened: " + io::detail::reason(code); });
  // the kernel lets go of it when the process ends, however it ends
  require<FileError>(::flock(lock_.get(), LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK, [&] { return "--out: " + out_.string() + " is in use by another rnx-train"; });
}

void RunDirectory::import(const std::string& text, const Json& configuration) {
  fs::path from = fs::path(text).lexically_normal();
  if (!from.has_filename()) from = from.parent_path();  // "ckpt/000123/", as shells complete it
  std::error_code error;
  if (fs::exists(from / "ckpt" / "LATEST", error)) from = from / "ckpt";
  const bool of_many = fs::exists(from / "LATEST", error);
  const train::Checkpoints others(of_many ? from : from.parent_path());
  const train::Checkpoints::Newest newest = of_many ? others.newest() : train::Checkpoints::Newest{from.filename().string(), {}};
  const std::string source = newest.name;
  for (const auto& damaged : newest.damaged) complain("rnx-train: --resume: " + damaged.sentence + "; " + source + " is taken");
  require<FileError>(fs::exists(others.path(source) / "state.json", error), [&] { return "--resume: " + text + " holds no checkpoint"; });
  const Json state = others.state(source);
  const std::string difference = train::first_difference(state.value("configuration", Json()), configuration);
  require(difference.empty(), [&] { return "--resume: " + text + " is of another configuration: " + difference; });
  const std::string name = train::Checkpoints::name_of(state.value("number", 0l));  // the folder may have been renamed
  fs::create_directories(out_ / "ckpt", error);
  fs::copy(others.path(source), checkpoints_.path(name), fs::copy_options::recursive | fs::copy_options::overwrite_existing, error);
  require<FileError>(!error, [&] { return "--resume: " + others.path(source).string() + " cannot be copied: " + error.message(); });
  io::write_file(checkpoints_.path("LATEST"), name + "\n");
}

}  // namespace tools
