// What is done with a trained network: its accuracy on clean, corrupted and attacked images, and
// behind a confidence switch.
#pragma once

#include <filesystem>
#include <optional>

#include <rnx/eval/corruption.hpp>

#include "../tools/paper.hpp"
#include "../tools/train/program.hpp"
#include "plan.hpp"

namespace rlnet {

/// A row's run: its command line, and the folder that holds it.
struct Run {
  const Row& row;
  const training::Program& program;
  std::filesystem::path folder;
};

/// Where corrupted images come from.
struct CorruptionPlace {
  std::string official{};       ///< a folder of the published -C files; empty: they are computed
  std::string frost{};          ///< a folder of photographs of frost; empty: computed ice
  std::filesystem::path own{};  ///< where computed ones are kept
};

/// The first test images under the benchmark's 15 corruptions.
class Corrupted {
 public:
  /// Reads what is there, or makes it. Errors: UsageError (files of other labels, another length or
  /// other options, a folder without photographs), FileError.
  Corrupted(const CorruptionPlace& place, const rnx::data::Source& test, int images,
            bool tiny_constants, tools::Display& display);

  /// "official", "frost photographs" or "computed frost".
  const std::string& origin() const { return origin_; }
  int images() const { return images_; }
  /// One version. Errors: FileError.
  rnx::data::Images version(rnx::data::Corruption kind, int severity) const;

 private:
  void make(const CorruptionPlace& place, const rnx::data::Source& test, bool tiny_constants,
            tools::Display& display);
  void check_labels() const;

  std::filesystem::path folder_;
  std::string origin_;
  int images_ = 0;                      ///< that are used
  std::vector<std::int32_t> labels_{};  ///< of the test images
  int classes_ = 0;
  mutable std::string read_{};  ///< the file whose versions are in memory
  mutable std::optional<rnx::data::Images> all_{};
};

/// Writes eval.json in the run's folder: clean, corrupted and attacked accuracy, ReLUs. What is
/// there of the same weights and images is kept. Errors: UsageError, FileError, Stopped.
void evaluate(const Run& run, const Measures& measures, const tools::DataSet& set,
              const Corrupted& corrupted, tools::Display& display);
/// Writes switch.json: the threshold, and the switch on clean, corrupted and attacked images.
/// Errors: as above.
void evaluate_switch(const Run& run, const Measures& measures, const tools::DataSet& set,
                     const Corrupted& corrupted, tools::Display& display);
/// Writes sensitivity.json: 1 - density of the weights before each ReLU. Errors: as above.
void write_sensitivities(const Run& run, const tools::DataSet& set);

/// The network of a run, with its trained weights. Errors: FileError.
rnx::AnyNetwork<float> trained(const Run& run, const tools::DataSet& set);

}  // namespace rlnet
