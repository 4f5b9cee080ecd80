// All attacks and checks on all models, into the folder of the results; shards put together.
#pragma once

#include "state.hpp"

namespace evaluation {

/// Models with the weights that they were given, on the images of a data set.
struct Subject {
  const tools::DataSet& data;
  const std::vector<rnx::AnyNetwork<float>>& nets;
  std::vector<std::string> labels{}, checksums{};  ///< of the weights
  std::vector<tools::AttackText> rows{};
  /// the same weights with other surrogate gradients, for a check; empty: none
  std::vector<rnx::AnyNetwork<float>> surrogates{};
};

/// Writes the report. The exit code: 0, or that of a check that fired where checks are strict.
/// Errors: UsageError, FileError, NumericError, Stopped.
int evaluate(const Arguments& a, const tools::App& app, const Subject& subject,
             tools::Display& display);

/// Where images of several attacks become one for each sample: of the first attack that fooled the
/// model, else of the last one.
class WorstImages {
 public:
  /// Takes the images away.
  void add(rnx::eval::Accuracy& attacked);
  /// Writes float32 (n, c, h, w), in the order of the data set's files. Errors: FileError.
  void write(const std::string& file, rnx::Dims dims, const rnx::eval::Accuracy& of) const;

 private:
  std::vector<float> images_{};
  std::vector<bool> fooled_{};
};

/// Clean and attacked accuracy of each row, for people.
void print_rows(const rnx::report::Report& report, tools::Display& display);
/// report.json and the other files. Errors: FileError.
void write_report(const std::string& out, const rnx::report::Report& report);

/// Adds the verb `merge`.
void add_merge_verb(tools::App& app);
/// Adds the verb `compare`.
void add_compare_verb(tools::App& app);

/// The exit code of --strict-checks where one fires.
inline constexpr int check_fired = 4;
/// The checks of model k, in the norm that is asked for. Errors: as evaluate.
std::vector<rnx::eval::Check> checks_of(const Arguments& a, const Subject& subject, std::size_t k,
                                        tools::Display& display);

/// The attacks of --threat-sweep: PGD with steps of 1/20, 1/4 and 1/2 of the radius, 10 to 100 of
/// them, from 1 and 5 random starts.
std::vector<std::string> threat_grid(const std::string& eps);
/// The row that leaves the fewest images right, the first of equal ones; null: there is none.
Json worst_threat(const rnx::report::ModelReport& m);

/// Writes ID.json and ID.py into the report's folder. Errors: UsageError, FileError.
void write_robustbench(const Arguments& a, const rnx::report::Report& report,
                       const rnx::NetworkBase<float>& net);

}  // namespace evaluation
