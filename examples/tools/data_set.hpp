// --dataset and --data: the data sets that the executables know.
#pragma once

#include <memory>
#include <string>

#include <rnx/data.hpp>

#include "app.hpp"

namespace tools {

struct DataOptions {
  std::string dataset = "cifar10", dir;
  int n_train = 0, n_test = 0;  ///< the first N images (0: all)
  int image_size = 32;          ///< of image-folder: height and width
  bool skip_unreadable = false, check_images = true;
  /// Adds --dataset, --data, --image-size and --skip-unreadable.
  void add_to(CLI::App& cli);
};

/// Both splits and what a trainer wants to know of them.
struct DataSet {
  std::string name;
  std::unique_ptr<rnx::data::Source> train, test;
  rnx::data::Statistics statistics;  ///< of the training split, or the usual ones of the data set
  rnx::data::Augment augment{};
  std::vector<std::string> skipped;  ///< files that could not be read
};

/// Reads what is asked for. Errors: UsageError (an unknown data set, --data missing), FileError.
DataSet open_data(const DataOptions& o, bool want_train, bool want_test);

}  // namespace tools
