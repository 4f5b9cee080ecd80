// Phase 4: what came out.
#include "phases.hpp"

namespace training {

using namespace rnx;

namespace {

/// Clean accuracy on all images, beside the attacked ones.
Json clean_details(const eval::Proportion& clean) {
  const eval::Interval interval = eval::wilson(clean.right, clean.n);
  return {{"right", clean.right},
          {"n", clean.n},
          {"accuracy", clean.value()},
          {"low", interval.low},
          {"high", interval.high}};
}

void print_result(const eval::Proportion& clean, const eval::Proportion& robust,
                  tools::Display& display) {
  Json json{{"clean_acc", clean.value()}, {"clean_n", clean.n}};
  std::string line = fmt::format("clean {:.2f} % of {}", 100 * clean.value(), clean.n);
  if (robust.n) {
    json.update({{"pgd20_acc", robust.value()}, {"pgd20_n", robust.n}});
    line += fmt::format(", PGD-20 {:.2f} % of {}", 100 * robust.value(), robust.n);
  }
  if (display.json()) tools::print_line(stdout, json.dump());
  display.say(line);
}

}  // namespace

void report_result(const Arguments& a, const tools::DataSet& set, const NetworkBase<float>& net,
                   const Json& settings, const tools::RunDirectory& run, tools::Display& display) {
  const std::string weights = (run / "model.safetensors").string();
  const std::size_t n = set.test->size();
  const data::Part all_clean(*set.test, 0, a.final_n ? std::min<std::size_t>(a.final_n, n) : n),
      some(*set.test, 0, std::min<std::size_t>(a.final_pgd_n, n));
  display.say(fmt::format("evaluation: clean on {} test images, PGD-20 on {}", all_clean.size(),
                          some.size()));
  report::Report report{
      .title = fmt::format("{} on {}, {} training", a.model, set.name, a.objective),
      .settings = settings,
      .class_names = set.test->class_names(),
      .models = {}};
  eval::Options o{.seed = a.seed, .stop = &tools::stop_on_signals()};
  o.progress = display.counting("clean");
  const eval::Proportion clean = eval::clean_proportion(attack(a, "clean").run(net, all_clean, o));
  if (some.size()) o.path = a.robust_path();
  report.models.push_back(tools::model_report(
      net, a.objective, a.model, weights, {attack(a, some.size() ? pgd20 : "clean")}, o, display,
      tools::run_whole(net, some.size() ? some : all_clean)));
  report.models[0].details["clean_all"] = clean_details(clean);
  report::write(run / "eval/final", report, [](const std::string& sentence) {
    tools::complain("rnx-train: report.json is written, but not this: " + sentence);
  });
  const eval::Accuracy& attacked = report.models[0].attacks[0].accuracy;
  print_result(clean, some.size() ? eval::robust_proportion(attacked) : eval::Proportion{},
               display);
  display.say(
      fmt::format("weights: {}\nreport: {}/report.html", weights, (run / "eval/final").string()));
}

}  // namespace training
