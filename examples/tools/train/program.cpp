#include "program.hpp"

#include "../run_json.hpp"

namespace training {

using namespace rnx;

namespace {

/// The last two phases; the exit code.
int run_and_report(const Program& p, const tools::DataSet& set, Model& model,
                   tools::Display& display) {
  const Arguments& a = p.a;
  Json settings = a.configuration(set, training_size(a, set), model.init, model.teacher);
  tools::work_begins("this step");
  tools::RunDirectory run({.program = p.app.name(),
                           .out = a.out,
                           .resume = a.resume,
                           .keep = a.keep,
                           .configuration = settings,
                           .facts = model.facts,
                           .options = p.app.options(),
                           .arguments = p.app.arguments()});
  if (!run_training(a, set, model, settings, run, display)) return tools::stopped_status();

  settings["training_fingerprint"] = settings["fingerprint"];
  settings["fingerprint"] = set.test->fingerprint();  // of what the report's numbers are about
  settings["instruction_set"] = tools::arithmetic();
  settings["command"] = fmt::format("rnx-train {}", fmt::join(p.app.arguments(), " "));
  report_result(a, set, *model.net, settings, run, display);
  run.finish();
  return 0;
}

}  // namespace

int Program::train() {
  tools::stop_on_signals();
  check_before_data(a);
  if (a.threads) host::set_threads(a.threads);
  tools::Display display(a.progress);
  const tools::DataSet set = read_data(a, display);
  Model model = make_model(a, set, display);
  if (a.dry_run) return print_layers(cost_of(a, *model.net)), 0;
  try {
    return run_and_report(*this, set, model, display);
  } catch (const NumericError& e) {
    throw UsageError(std::string(e.what()) + "; a smaller --lr may train");
  }
}

tools::SweepRow read_row(const tools::App::Arguments& arguments, const tools::Settings& settings) {
  const auto p = std::make_shared<Program>();
  p->app.parse(arguments, settings);
  check_before_data(p->a);
  return {.options = p->app.options(),
          .quiet = p->a.progress == "json" || p->a.progress == "off",
          .run = [p] { return p->train(); }};
}

}  // namespace training
