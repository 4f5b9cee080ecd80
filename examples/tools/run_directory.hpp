// The run directory of rnx-train: run.json, ckpt/, logs. One configuration, one process at a time.
#pragma once

#include <filesystem>

#include <rnx/train.hpp>
#include <rnx/train/checkpoint.hpp>
#include <rnx/train/log.hpp>

#include "outputs.hpp"

namespace tools {

class RunDirectory {
 public:
  using Json = nlohmann::ordered_json;

  /// Checks that a run can be written to this folder; makes nothing. Errors: FileError.
  static void require_place(const std::string& out);

  /// Makes the folder, or checks that it holds this very run; takes its lock; writes run.json.
  /// `resume`: auto, never, or the path of a checkpoint or of a run to copy the checkpoint from.
  /// `facts` go into run.json beside the configuration. Errors: UsageError (another configuration),
  /// FileError (a folder that cannot be written or is in use, a damaged run.json).
  RunDirectory(const std::string& out, const std::string& resume, int keep,
               const Json& configuration, const Json& facts,
               const std::vector<std::string>& arguments);

  std::filesystem::path operator/(const char* name) const { return out_ / name; }
  rnx::train::Checkpoints& checkpoints() { return checkpoints_; }
  /// Writes the folder, run.json and the lock again, and says so, where somebody deleted them: the
  /// training that is in memory is worth more than its folder. Errors: FileError.
  void restore_if_deleted();
  /// Batches that the newest checkpoint has done; 0 where there is none.
  long done() const;

 private:
  void import(const std::string& from, const Json& configuration);

  std::filesystem::path out_;
  std::string run_json_;
  rnx::train::Checkpoints checkpoints_;
  FolderLock lock_;
};

}  // namespace tools
