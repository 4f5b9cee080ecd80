// The four phases of rnx-train: data, model, run, report. Each begins where the one before it
// ended; what can be refused is refused before the first.
#pragma once

#include <rnx/train.hpp>

#include "../progress.hpp"
#include "../run_directory.hpp"
#include "arguments.hpp"

namespace training {

/// The attacks between epochs and at the end.
inline constexpr const char *pgd10 = "pgd:steps=10", *pgd20 = "pgd:steps=20";
inline tools::AttackText attack(const Arguments& a, const std::string& text) {
  return tools::AttackText::parse(text, a.norm, a.eps);
}

/// Refuses what can be refused before images are decoded. Errors: UsageError, FileError.
void check_before_data(const Arguments& a);

/// The images, which a network for the training split can be evaluated with. Errors: UsageError,
/// FileError.
tools::DataSet read_data(const Arguments& a, tools::Display& display);
/// How many of them are trained on.
inline std::size_t training_size(const Arguments& a, const tools::DataSet& set) {
  return set.train->size() - a.holdout;
}
inline long batches_per_epoch(const Arguments& a, const tools::DataSet& set) {
  return long((training_size(a, set) + a.batch - 1) / a.batch);
}

/// A network to train, and what it learns from.
struct Model {
  rnx::AnyNetwork<float> net{};
  tools::LoadedTeacher teacher{};
  std::string init{};  ///< the checksum of the weights that it begins with, or ""
  Json facts{};        ///< of network and data, for run.json
};
/// Errors: UsageError, FileError.
Model make_model(const Arguments& a, const tools::DataSet& set, tools::Display& display);
/// What the network costs; of a pruned one, what is left of it.
rnx::cost::Table cost_of(const Arguments& a, const rnx::NetworkBase<float>& net);
void print_layers(const rnx::cost::Table& table);

/// The objective of that name.
rnx::train::AnyObjective<float> objective_of(const Arguments& a, const tools::DataSet& set,
                                             const Model& model);
/// How the images are augmented that it calls clean, without AugMix.
inline rnx::data::Augment operations_of(const Arguments& a, const tools::DataSet& set) {
  return a.augment ? set.augment.operations() : rnx::data::Augment{};
}

/// Trains into the run directory, from its newest checkpoint on, and writes model.safetensors.
/// false: stopped by a signal. Errors: UsageError (training that diverges), FileError.
bool run_training(const Arguments& a, const tools::DataSet& set, Model& model,
                  const Json& configuration, tools::RunDirectory& run, tools::Display& display);

/// Clean accuracy and PGD-20 on the test images, as a report in the run directory. Prints the two.
void report_result(const Arguments& a, const tools::DataSet& set,
                   const rnx::NetworkBase<float>& net, const Json& settings,
                   const tools::RunDirectory& run, tools::Display& display);

}  // namespace training
