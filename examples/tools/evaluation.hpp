// Models with their weights, and an evaluation as a part of a report.
#pragma once

#include <functional>
#include <string>

#include <rnx/report.hpp>
#include <rnx/io.hpp>
#include <rnx/models.hpp>

#include "attacks.hpp"
#include "data_set.hpp"
#include "progress.hpp"

namespace tools {

/// Throws UsageError, with names that are near, unless the registry knows the model.
void require_model_name(const std::string& name);

/// Refuses, before images are decoded, a model that is unknown or not compiled for these. Errors:
/// UsageError.
void require_model(const std::string& name, const SplitFacts& images);

/// The network of that name for this data set, its input normalisation set to `statistics` where it
/// has one. Errors: UsageError.
rnx::AnyNetwork<float> make_model(const std::string& name, const rnx::data::Source& source,
                                  std::uint64_t seed, const rnx::data::Statistics& statistics = {});

/// Loads the weights that a new run starts from, strictly, their input normalisation included.
/// skip_head: the last layer, whose number of classes may be another one, stays as it is. Returns
/// the file's checksum. Errors: FileError.
std::string start_from(const std::string& file, bool skip_head, const std::string& model,
                       rnx::NetworkBase<float>& net);

/// A trained network that teaches: its weights, strictly, with their input normalisation. `model`:
/// its name, "" for the one that the file says. Returns the name that was taken and the file's
/// checksum, too. Errors: FileError, UsageError (a model that is unknown, or that nobody says).
struct LoadedTeacher {
  rnx::AnyNetwork<float> net{};
  std::string model{}, checksum{};
};
LoadedTeacher load_teacher(const std::string& file, const std::string& model,
                           const rnx::data::Source& source);

/// A weights file's metadata that hold these names of classes: empty where there are none.
rnx::io::Metadata class_metadata(const std::vector<std::string>& names);
/// The names of classes that such metadata hold: empty where there are none. Errors: FileError
/// (`what`: the file's name).
std::vector<std::string> class_names(const rnx::io::Metadata& metadata, const std::string& what);
/// Refuses weights whose classes have other names than those of `what`, or the same in another
/// order; classes that nobody named are taken as they are. Errors: FileError.
void require_same_classes(const std::string& weights, const std::vector<std::string>& names,
                          const std::string& what, const std::vector<std::string>& theirs);

/// An attack's result, and the seconds that it took.
struct RowResult {
  rnx::eval::Accuracy accuracy{};
  double seconds = 0;
};
/// Makes the results of a report's rows.
using RowRunner =
    std::function<RowResult(std::size_t row, const AttackText&, const rnx::eval::Options&)>;
/// In one call, on all samples. Both must outlive the runner.
RowRunner run_whole(const rnx::NetworkBase<float>& net, const rnx::data::Source& source);

/// The attacks' rows, cost, example images and training curves (metrics.csv beside the weights; one
/// line on stderr where they cannot be read) of one model. `display` shows how far each attack is.
rnx::report::ModelReport model_report(const rnx::NetworkBase<float>& net, const std::string& label,
                                      const std::string& model, const std::string& weights,
                                      const std::vector<AttackText>& attacks,
                                      rnx::eval::Options options, Display& display,
                                      const RowRunner& run);

}  // namespace tools
