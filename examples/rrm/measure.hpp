// What is done with a trained network: images made of its features, attacks, times.
#pragma once

#include <filesystem>

#include "../tools/paper.hpp"
#include "../tools/train/program.hpp"
#include "plan.hpp"

namespace rrm {

using paper::Images, paper::is_there, paper::read_json;

/// Samples of a source as a network takes them, in [0, 1].
rnx::Tensor<float> batch_of(const rnx::data::Source& source, const std::vector<std::uint32_t>& ids);

/// A row's run: its command line, and the folder that holds it.
struct Run {
  const Row& row;
  const training::Program& program;
  std::filesystem::path folder;
};

/// Makes the robustified training images of a teacher (attack::Inversion) as a folder of arrays,
/// which --dataset npy reads, with the test images beside them. What is there is gone on with.
/// o: of the images that are robustified. Errors: UsageError (the folder holds images of another
/// teacher or of other options), FileError, Stopped.
void robustify(const Row& row, const std::filesystem::path& teacher, const tools::DataOptions& o,
               const std::filesystem::path& folder, Images& images, tools::Display& display);
/// The checksum of the teacher whose images a folder holds; nothing is said of unfinished ones.
/// Errors: FileError.
std::string teacher_of_images(const std::filesystem::path& folder);

/// Gives a row's folder the weights of a file in place of a training's, in our names or those of
/// RobustBench's zoo. What is there of the same file is kept. Errors: UsageError (the row was
/// trained), FileError (weights of another network).
void take_teacher(const Run& run, const std::string& file, Images& images);
/// Whether the folder has the weights of this file.
bool is_taken(const Run& run, const std::string& file);

/// Attacks a run's weights: attacks/report.json, autoattack/report.json and, of rows_over_radii(),
/// curve.json in its folder. What is there of the same weights, images and attacks (measured.json)
/// is kept. Errors: UsageError, FileError, Stopped.
void evaluate(const Run& run, const Attacks& attacks, Images& images, tools::Display& display);

/// Measures steps of a run for so many seconds, and writes time.json: seconds of an epoch, passes
/// of its networks and what they would predict, bytes of traces. What is there of the same options
/// and machine code is kept. Errors: UsageError, FileError.
void measure_time(const Run& run, double seconds, Images& images, tools::Display& display);

}  // namespace rrm
