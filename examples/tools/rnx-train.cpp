// rnx-train: trains a model of the registry, naturally or adversarially, into a run directory that
// can be resumed.
#include "train/phases.hpp"

namespace {

using namespace rnx;

/// The last two phases; the exit code.
int run_and_report(const training::Arguments& a, const tools::App& app, const tools::DataSet& set,
                   training::Model& model, tools::Display& display) {
  training::Json settings =
      a.configuration(set, training::training_size(a, set), model.init, model.teacher);
  tools::work_begins("this step");
  tools::RunDirectory run(a.out, a.resume, a.keep, settings, model.facts, app.arguments());
  if (!training::run_training(a, set, model, settings, run, display)) return tools::stopped;

  settings["instruction_set"] = instruction_set();
  settings["command"] = fmt::format("rnx-train {}", fmt::join(app.arguments(), " "));
  training::report_result(a, set, *model.net, settings, run, display);
  return 0;
}

/// The four phases; the exit code.
int train_model(const training::Arguments& a, const tools::App& app) {
  tools::stop_on_signals();
  training::check_before_data(a);
  if (a.threads) host::set_threads(a.threads);
  tools::Display display(a.progress);
  const tools::DataSet set = training::read_data(a, display);
  training::Model model = training::make_model(a, set, display);
  if (a.dry_run) return training::print_layers(*model.net), 0;

  try {
    return run_and_report(a, app, set, model, display);
  } catch (const NumericError& e) {
    throw UsageError(std::string(e.what()) + "; a smaller --lr may train");
  }
}

}  // namespace

int main(int argc, char** argv) {
  tools::App app(
      "rnx-train",
      "Trains a small robust image classifier into a run directory that can be resumed.");
  training::Arguments a;
  training::add_options(a, app);
  return app.run(argc, argv, [&] { return train_model(a, app); });
}
