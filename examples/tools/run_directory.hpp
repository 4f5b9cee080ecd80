// The run directory of a program that trains: run.json, ckpt/, logs. One configuration, one process
// at a time.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <rnx/train/checkpoint_folder.hpp>

#include "outputs.hpp"
#include "toml.hpp"

namespace tools {

/// Which run a program wants to make, or to go on with.
struct RunPlan {
  std::string program, out;
  std::string resume = "auto";  ///< auto, never, or a checkpoint or a run to copy a checkpoint from
  int keep = 2;                 ///< checkpoints
  Json configuration{};         ///< all that the bits of the result depend on
  Json facts{};                 ///< go into run.json beside it
  Json options{};               ///< App::options(): a --config makes the run again from them
  std::vector<std::string> arguments{};
};

class RunDirectory {
 public:
  /// Checks that a run can be written to this folder; makes nothing. Errors: FileError.
  static void require_place(const std::string& out);

  /// Makes the folder, or checks that it holds this very run; takes its lock; writes run.json.
  /// Errors: UsageError (another configuration or program, a folder that is in use), FileError (a
  /// folder that cannot be written, a damaged run.json).
  explicit RunDirectory(RunPlan plan);

  std::filesystem::path operator/(const char* name) const { return out_ / name; }
  rnx::train::Checkpoints& checkpoints() { return checkpoints_; }
  /// Writes the folder, run.json and the lock again, and says so, where somebody deleted them: the
  /// training that is in memory is worth more than its folder. Errors: FileError.
  void restore_if_deleted();
  /// Batches that the newest checkpoint has done; 0 where there is none.
  long done() const;
  /// The run has come to its end, its report included. Errors: FileError.
  void finish();

 private:
  void begin();
  void go_on();
  void import(const std::string& from);
  void write();
  void complain(const std::string& sentence) const;

  RunPlan plan_;
  std::filesystem::path out_;
  Json run_;
  rnx::train::Checkpoints checkpoints_;
  FolderLock lock_;
};

}  // namespace tools
