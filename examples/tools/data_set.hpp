// --dataset and --data: the data sets that the executables know.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <rnx/data.hpp>
#include <rnx/eval.hpp>

#include "app.hpp"

namespace tools {

struct DataOptions {
  std::string dataset = "cifar10", dir;
  int n_train = 0, n_test = 0;  ///< the first N images (0: all)
  std::string groups;           ///< of image-folder: "restricted-imagenet", a file, or none
  int image_size = 32;          ///< of image-folder: height and width
  int resize = 0;  ///< of image-folder: pixels of the shorter side before the crop (0: image_size)
  bool skip_unreadable = false, check_images = true;
  std::vector<double> mean{},
      std{};  ///< of the channels, in [0, 1]; empty: DataSet::statistics says which
  /// those that weights were trained for, in their order; empty: the data set's own
  std::vector<std::string> class_names{};
  /// Adds --dataset, --data, --groups, --mean, --std, --image-size, --resize, --skip-unreadable and
  /// --check-images.
  void add_to(CLI::App& cli);
};

/// What is known of a split before its pixels are read.
struct SplitFacts {
  /// images of which --n-train and --n-test take the first; 0 where only reading tells
  std::size_t n = 0;
  rnx::Dims dims{};
  int classes = 0;
};
/// What lists of files, headers and labels say, at the cost of no pixel. A split that was not asked
/// for is empty.
struct DataFacts {
  /// empty where the data set does not tell, or only reading does
  std::vector<std::string> class_names{};
  std::optional<SplitFacts> train{}, test{};
};
/// Errors: as open_data, as far as they do not concern pixels.
DataFacts describe_data(const DataOptions& o, bool want_train, bool want_test);

/// How a data set is usually augmented, by the numbers that a run's configuration holds.
struct Augmentation {
  int pad = 4;
  bool crop = true, flip = true;
  rnx::data::Augment operations() const;
};

/// Both splits and what a trainer wants to know of them.
struct DataSet {
  std::string name;
  std::unique_ptr<rnx::data::Source> train, test;
  /// those that were given, the usual ones of the data set, or of the training split; else
  /// empty
  rnx::data::Statistics statistics;
  Augmentation augment{};
  std::vector<std::string> skipped;  ///< files that could not be read
  /// sentences that a user should see: files that were passed over, images that were shuffled
  std::vector<std::string> notes{};
};

/// Reads what is asked for. Folders, and arrays that do not come in a mixed order (data::is_mixed),
/// are shuffled once.
/// Errors: UsageError (an unknown data set, --data missing), FileError.
DataSet open_data(const DataOptions& o, bool want_train, bool want_test);

/// Writes the logits of an evaluation as float32 (n, classes), in the order of the data set's
/// files: row k is that of the k-th smallest index of per_sample.csv. Errors: FileError.
void write_logits(const std::string& path, const rnx::eval::Accuracy& accuracy);

/// Loads weights into a network whose normalisation was set where `statistics` are not empty: then
/// a file need not have its own, and says so in one line, as it does of names that all began with a
/// prefix. `program` begins the lines. Errors: FileError.
void load_weights(const std::string& program, const std::string& file, rnx::NetworkBase<float>& net,
                  const rnx::data::Statistics& statistics);

}  // namespace tools
