// rnx-eval: clean and attacked accuracy of models with given weights, as report.json, report.md, report.html and per_sample.csv.
#include <filesystem>

#include <rnx/io.hpp>
#include <rnx/io/npy.hpp>

#include "evaluation.hpp"

namespace {

struct Arguments {
  std::string model = "resnet20", out = "eval", norm = "linf", eps = "8/255", device = "cpu";
  std::vector<std::string> weights, labels, attacks{"pgd:steps=20"};
  std::string logits;
  tools::DataOptions data;
  int n_ex = 1000, batch = 250, threads = 0;
  std::uint64_t seed = 0;
};

/// "runs/natural/model.safetensors" is called "natural".
std::string default_label(const std::string& weights) {
  const std::filesystem::path path(weights);
  const std::string folder = path.parent_path().filename().string();
  return path.stem() == "model" && !folder.empty() ? folder : path.stem().string();
}

/// run.json: what was asked for and with what. Errors: UsageError (the folder is a training's).
void write_run(const std::filesystem::path& out, const nlohmann::ordered_json& settings) {
  const auto file = out / "run.json";
  std::error_code error;
  if (std::filesystem::exists(file, error)) {
    const auto old = nlohmann::json::parse(rnx::io::read_file(file, 16 << 20), nullptr, false);
    rnx::require(old.is_object() && old.contains("program") && old["program"] == "rnx-eval", [&] { return "--out: " + out.string() + " holds a run of another program; choose another folder"; });
  }
  nlohmann::ordered_json run{{"program", "rnx-eval"}, {"version", fmt::format("{}.{}.{}", RNX_VERSION_MAJOR, RNX_VERSION_MINOR, RNX_VERSION_PATCH)}, {"compiler", __VERSION__}, {"threads", rnx::host::threads()}};
  run.update(settings);
  rnx::io::write_file(file, run.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

int run(const Arguments& a, const tools::App& app) {
  using namespace rnx;
  require(!a.weights.empty(), "--weights: at least one file is needed");
  require(a.n_ex >= 0 && a.batch > 0 && a.threads >= 0, "--n-ex and --threads must not be negative and --batch must be positive");
  require(a.device == "cpu", [&] { return "--device: '" + a.device + "' is not in this program; it was built for cpu"; });
  require(a.labels.empty() || a.labels.size() == a.weights.size(), "--label: give one for each --weights, or none");
  require(a.logits.empty() || a.weights.size() == 1, "--save-logits: it takes one --weights");
  tools::stop_on_signals();
  if (a.threads) host::set_threads(a.threads);
  std::vector<tools::AttackText> attacks;
  for (const std::string& text : a.attacks) attacks.push_back(tools::AttackText::parse(text, a.norm, a.eps));

  tools::DataOptions options = a.data;
  options.n_test = a.n_ex;
  const tools::DataSet data = tools::open_data(options, false, true);
  for (const std::string& s : data.skipped) tools::complain("rnx-eval: skipped " + s);
  for (const std::string& note : data.notes) tools::complain("rnx-eval: " + note);
  const auto say = []<class... Ts>(fmt::format_string<Ts...> format, Ts&&... values) { tools::print_line(stdout, fmt::format(format, std::forward<Ts>(values)...)); };
  say("data: {}, {} test images of {}", data.name, data.test->size(), data.test->dims().text());
  // weights and folders first: an hour of attacks must not end at a file that cannot be read or written
  std::vector<AnyNetwork<float>> nets;
  for (const std::string& weights : a.weights) {
    nets.push_back(tools::make_model(a.model, *data.test, 0, data.statistics));
    tools::load_weights("rnx-eval", weights, *nets.back(), data.statistics);
  }
  tools::make_writable("--out", a.out);
  if (!a.logits.empty()) tools::make_writable("--save-logits", std::filesystem::absolute(a.logits).parent_path().string());

  eval::Report report{.title = "Robustness of " + a.model + " on " + data.name, .settings = nlohmann::ordered_json::object(), .class_names = data.test->class_names(), .models = {}};
  report.settings = {{"dataset", data.name}, {"data", a.data.dir}, {"fingerprint", data.test->fingerprint()}, {"n", data.test->size()}, {"norm", a.norm}, {"eps", a.eps}, {"seed", a.seed}, {"batch", a.batch},
                     {"instruction_set", instruction_set()}, {"command", "rnx-eval " + fmt::format("{}", fmt::join(app.arguments(), " "))}};
  auto settings = report.settings;
  settings["model"] = a.model, settings["weights"] = a.weights, settings["attacks"] = a.attacks;
  write_run(a.out, settings);
  for (std::size_t k = 0; k < a.weights.size(); ++k) {
    const std::string label = a.labels.empty() ? default_label(a.weights[k]) : a.labels[k];
    const AnyNetwork<float>& net = nets[k];
    say("{}: {} under {}", label, a.weights[k], fmt::join(a.attacks, ", "));
    eval::Options o = tools::stoppable({.batch = a.batch, .seed = a.seed});
    report.models.push_back(tools::model_report(*net, label, a.model, a.weights[k], *data.test, attacks, o));
    if (!a.logits.empty()) {
      o.keep_logits = true;
      const eval::Accuracy r = tools::evaluate(*net, *data.test, o, tools::AttackText::parse("clean", a.norm, a.eps));
      tools::write_logits(a.logits, r);
      say("logits: {}", a.logits);
    }
  }
  eval::write_report(a.out, report);
  for (const auto& m : report.models)
    for (const auto& row : m.attacks) {
      const auto clean = eval::clean_proportion(row.accuracy), robust = eval::robust_proportion(row.accuracy);
      const auto interval = eval::wilson(robust.right, robust.n);
      say("{}: clean {:.2f} %, {} {:.2f} % [{:.2f}, {:.2f}] of {} images", m.label, 100 * clean.value(), row.name, 100 * robust.value(), 100 * interval.low, 100 * interval.high, robust.n);
    }
  say("report: {}/report.html", a.out);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  tools::App app("rnx-eval", "Clean and attacked accuracy of models, with a report.");
  Arguments a;
  app.cli.add_option("--model", a.model, fmt::format("one of {}", fmt::join(rnx::models::Registry<>::instance().names(), ", ")));
  app.cli.add_option("--weights", a.weights, "safetensors files with PyTorch's names; several make one report that compares them")->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.cli.add_option("--label", a.labels, "how the report calls each of the weights")->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  a.data.add_to(app.cli);
  app.cli.add_option("--n-ex", a.n_ex, "first N test images (0: all)");
  app.cli.add_option("--norm", a.norm, "linf | l2");
  app.cli.add_option("--eps", a.eps, "radius, like 8/255");
  app.cli.add_option("--attack", a.attacks, "clean | fgsm | pgd:steps=20,step=2/255,restarts=1,start=none|random (step: in l2 a fifth of the radius unless given); several are reported alone and together")->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)->delimiter('\0');
  app.cli.add_option("--batch", a.batch);
  app.cli.add_option("--seed", a.seed)->check(CLI::NonNegativeNumber);
  app.cli.add_option("--device", a.device, "cpu");
  app.cli.add_option("--threads", a.threads, "0: all");
  app.cli.add_option("--out", a.out, "folder of the report");
  app.cli.add_option("--save-logits", a.logits, "npy file for the clean logits: float32 (n, classes), in file order");
  return app.run(argc, argv, [&] { return run(a, app); });
}
