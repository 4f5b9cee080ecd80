// rnx-train: trains a model of the registry, naturally or adversarially, into a run directory that
// can be resumed; sweeps of such runs, and tables of them.
#include "sweep.hpp"
#include "table.hpp"
#include "train/phases.hpp"

namespace {

using namespace rnx;

/// A command line of rnx-train, and what it says.
struct Program {
  tools::App app{
      "rnx-train",
      "Trains a small robust image classifier into a run directory that can be resumed."};
  training::Arguments a{};
  Program() { training::add_options(a, app); }
};

/// The last two phases; the exit code.
int run_and_report(const Program& p, const tools::DataSet& set, training::Model& model,
                   tools::Display& display) {
  const training::Arguments& a = p.a;
  training::Json settings =
      a.configuration(set, training::training_size(a, set), model.init, model.teacher);
  tools::work_begins("this step");
  tools::RunDirectory run({.program = p.app.name(),
                           .out = a.out,
                           .resume = a.resume,
                           .keep = a.keep,
                           .configuration = settings,
                           .facts = model.facts,
                           .options = p.app.options(),
                           .arguments = p.app.arguments()});
  if (!training::run_training(a, set, model, settings, run, display))
    return tools::stopped_status();

  settings["training_fingerprint"] = settings["fingerprint"];
  settings["fingerprint"] = set.test->fingerprint();  // of what the report's numbers are about
  settings["instruction_set"] = instruction_set();
  settings["command"] = fmt::format("rnx-train {}", fmt::join(p.app.arguments(), " "));
  training::report_result(a, set, *model.net, settings, run, display);
  run.finish();
  return 0;
}

/// The four phases; the exit code.
int train_model(const Program& p) {
  tools::stop_on_signals();
  training::check_before_data(p.a);
  if (p.a.threads) host::set_threads(p.a.threads);
  tools::Display display(p.a.progress);
  const tools::DataSet set = training::read_data(p.a, display);
  training::Model model = training::make_model(p.a, set, display);
  if (p.a.dry_run) return training::print_layers(*model.net), 0;
  try {
    return run_and_report(p, set, model, display);
  } catch (const NumericError& e) {
    throw UsageError(std::string(e.what()) + "; a smaller --lr may train");
  }
}

tools::SweepRow read_row(const tools::App::Arguments& arguments, const tools::Settings& settings) {
  const auto p = std::make_shared<Program>();
  p->app.parse(arguments, settings);
  training::check_before_data(p->a);
  return {.options = p->app.options(),
          .quiet = p->a.progress == "json" || p->a.progress == "off",
          .run = [p] { return train_model(*p); }};
}

}  // namespace

int main(int argc, char** argv) {
  Program p;
  tools::add_sweep_verbs(p.app, read_row);
  tools::add_table_verb(p.app);
  return p.app.run(argc, argv, [&p] { return train_model(p); });
}
