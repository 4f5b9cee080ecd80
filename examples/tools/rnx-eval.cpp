// rnx-eval: clean and attacked accuracy of models with given weights, as report.json, report.md,
// report.html and per_sample.csv.
#include <algorithm>
#include <filesystem>

#include <rnx/io.hpp>
#include <rnx/io/npy.hpp>

#include "evaluation.hpp"
#include "run_json.hpp"

namespace {

struct Arguments {
  std::string model = "resnet20", out = "eval", norm = "linf", eps = "8/255", device = "cpu",
              progress = "auto";
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

/// How the report calls each of the weights. Errors: UsageError (two the same: their numbers could
/// not be told apart).
std::vector<std::string> labels_of(const Arguments& a) {
  std::vector<std::string> labels = a.labels;
  if (labels.empty())
    for (const std::string& weights : a.weights) labels.push_back(default_label(weights));
  for (std::size_t k = 0; k < labels.size(); ++k)
    rnx::require(std::find(labels.begin(), labels.begin() + k, labels[k]) == labels.begin() + k,
                 [&] {
                   return "--label: two models would be called '" + labels[k] +
                          "'; give one for each --weights";
                 });
  return labels;
}

/// Everything that can be wrong with the place of the results. Errors: UsageError (the folder is
/// another program's, of other options, or a part of the data set), FileError.
void require_outputs(const Arguments& a, const tools::App& app) {
  const std::filesystem::path out = a.out;
  tools::require_can_hold("--out", out);
  tools::require_apart("--out", out, a.data.dir);
  for (const char* name : {"run.json", "report.json"})
    tools::require_writable_file("--out", out / name);
  if (!a.logits.empty()) tools::require_writable_file("--save-logits", a.logits);
  const tools::Json before = tools::read_run_json("--out", out, app.name());
  if (before.is_null()) return;
  const std::string difference =
      tools::first_difference(before.value("options", tools::Json::object()), app.options());
  rnx::require(difference.empty(), [&] {
    return "--out: " + a.out + " holds an evaluation with other options: " + difference +
           "; choose another folder";
  });
}

/// run.json: what was asked for and with what.
void write_run(const std::filesystem::path& out, const tools::App& app,
               const tools::Json& settings) {
  tools::Json run = tools::begin_run_json(app.name(), app.options());
  run.update(tools::this_start(app.name(), app.arguments()));
  run.update(settings);
  rnx::io::write_file(out / "run.json", tools::text_of(run));
}

/// The names of the classes that the weights know, in their order; reads their headers. Errors:
/// FileError (weights that contradict each other).
std::vector<std::string> read_class_names(const std::vector<std::string>& weights) {
  std::vector<std::string> all;
  for (const std::string& file : weights) {
    const std::vector<std::string> names =
        tools::class_names(rnx::io::SafetensorsFile::read(file).metadata(), file);
    if (all.empty()) all = names;
    tools::require_same_classes(file, names, "the other weights", all);
  }
  return all;
}

nlohmann::ordered_json settings_of(const Arguments& a, const tools::DataSet& data,
                                   const tools::App& app) {
  return {{"dataset", data.name},
          {"data", a.data.dir},
          {"fingerprint", data.test->fingerprint()},
          {"n", data.test->size()},
          {"norm", a.norm},
          {"eps", a.eps},
          {"seed", a.seed},
          {"batch", a.batch},
          {"instruction_set", rnx::instruction_set()},
          {"command", "rnx-eval " + fmt::format("{}", fmt::join(app.arguments(), " "))}};
}

void print_rows(const rnx::report::Report& report, tools::Display& display) {
  using namespace rnx;
  for (const auto& m : report.models)
    for (const auto& row : m.attacks) {
      const auto clean = eval::clean_proportion(row.accuracy),
                 robust = eval::robust_proportion(row.accuracy);
      const auto interval = eval::wilson(robust.right, robust.n);
      display.say(fmt::format("{}: clean {:.2f} %, {} {:.2f} % [{:.2f}, {:.2f}] of {} images",
                              m.label, 100 * clean.value(), row.name, 100 * robust.value(),
                              100 * interval.low, 100 * interval.high, robust.n));
    }
}

/// The networks with their weights. Errors: FileError (weights of another network, or of other
/// classes).
std::vector<rnx::AnyNetwork<float>> load(const Arguments& a, const std::vector<std::string>& names,
                                         const tools::DataSet& data) {
  tools::require_same_classes(a.weights[0], names, "the data set", data.test->class_names());
  std::vector<rnx::AnyNetwork<float>> nets;
  for (const std::string& weights : a.weights) {
    nets.push_back(tools::make_model(a.model, *data.test, 0, data.statistics));
    tools::load_weights("rnx-eval", weights, *nets.back(), data.statistics);
  }
  return nets;
}

/// Clean logits, before the attacks: a file that cannot be written is then known at once.
void save_logits(const Arguments& a, const rnx::NetworkBase<float>& net,
                 const rnx::data::Source& images, rnx::eval::Options o, tools::Display& display) {
  namespace fs = std::filesystem;
  o.keep_logits = true;
  o.progress = display.counting("logits");
  const auto clean = tools::AttackText::parse("clean", a.norm, a.eps);
  const rnx::eval::Accuracy r = clean.run(net, images, o);
  const fs::path file = a.logits;
  if (file.has_parent_path()) tools::make_writable("--save-logits", file.parent_path());
  tools::write_logits(a.logits, r);
}

/// What contradicts itself. Errors: UsageError.
void check(const Arguments& a) {
  using rnx::require;
  require(!a.weights.empty(), "--weights: at least one file is needed");
  require(a.device == "cpu", [&] {
    return "--device: '" + a.device + "' is not in this program; it was built for cpu";
  });
  require(a.labels.empty() || a.labels.size() == a.weights.size(),
          "--label: give one for each --weights, or none");
  require(a.logits.empty() || a.weights.size() == 1, "--save-logits: it takes one --weights");
}

tools::DataSet read_data(const tools::DataOptions& options, tools::Display& display) {
  display.phase("reading the images");
  tools::DataSet data = tools::open_data(options, false, true);
  display.done();
  for (const std::string& s : data.skipped) tools::complain("rnx-eval: skipped " + s);
  for (const std::string& note : data.notes) tools::complain("rnx-eval: " + note);
  display.say(fmt::format("data: {}, {} test images of {}", data.name, data.test->size(),
                          data.test->dims().text()));
  return data;
}

/// All attacks on all models, into the folder of the results.
void evaluate(const Arguments& a, const tools::App& app, const std::vector<std::string>& labels,
              const std::vector<tools::AttackText>& attacks, const tools::DataSet& data,
              const std::vector<rnx::AnyNetwork<float>>& nets, tools::Display& display) {
  using namespace rnx;
  const tools::FolderLock lock("--out", a.out, "rnx-eval");
  report::Report report{.title = "Robustness of " + a.model + " on " + data.name,
                        .settings = settings_of(a, data, app),
                        .class_names = data.test->class_names(),
                        .models = {}};
  auto settings = report.settings;
  settings["model"] = a.model;
  settings["weights"] = a.weights;
  settings["attacks"] = a.attacks;
  write_run(a.out, app, settings);
  const eval::Options o{.batch = a.batch, .seed = a.seed, .stop = &tools::stop_on_signals()};
  if (!a.logits.empty()) {
    save_logits(a, *nets[0], *data.test, o, display);
    display.say("logits: " + a.logits);
  }
  for (std::size_t k = 0; k < a.weights.size(); ++k) {
    display.say(
        fmt::format("{}: {} under {}", labels[k], a.weights[k], fmt::join(a.attacks, ", ")));
    report.models.push_back(tools::model_report(*nets[k], labels[k], a.model, a.weights[k],
                                                *data.test, attacks, o, display));
  }
  report::write(a.out, report, [](const std::string& sentence) {
    tools::complain("rnx-eval: report.json is written, but not this: " + sentence);
  });
  print_rows(report, display);
  display.say("report: " + a.out + "/report.html");
}

int run(const Arguments& a, const tools::App& app) {
  tools::stop_on_signals();
  // all that can be refused first: an hour of decoding or of attacks must not end at a file that
  // cannot be read or written
  check(a);
  if (a.threads) rnx::host::set_threads(a.threads);
  const std::vector<std::string> labels = labels_of(a);
  std::vector<tools::AttackText> attacks;
  for (const std::string& text : a.attacks)
    attacks.push_back(tools::AttackText::parse(text, a.norm, a.eps));
  tools::DataOptions options = a.data;
  options.n_test = a.n_ex;
  options.class_names = read_class_names(a.weights);
  const tools::DataFacts facts = tools::describe_data(options, false, true);
  tools::require_model(a.model, *facts.test);
  require_outputs(a, app);
  tools::Display display(a.progress);

  const tools::DataSet data = read_data(options, display);
  const std::vector<rnx::AnyNetwork<float>> nets = load(a, options.class_names, data);
  tools::work_begins("this step");
  tools::make_writable("--out", a.out);
  evaluate(a, app, labels, attacks, data, nets, display);
  return 0;
}

void add_options(Arguments& a, tools::App& app) {
  CLI::App& cli = app.cli;
  const auto of_call = [](CLI::Option* option) { option->group(tools::of_call); };
  cli.add_option(
      "--model", a.model,
      fmt::format("one of {}", fmt::join(rnx::models::Registry<>::instance().names(), ", ")));
  tools::add_texts(
      cli, "--weights", a.weights,
      "safetensors files with PyTorch's names; several make one report that compares them");
  tools::add_texts(cli, "--label", a.labels, "how the report calls each of the weights");
  a.data.add_to(cli);
  tools::add_whole(cli, "--n-ex", a.n_ex, {}, "first N test images (0: all)");
  cli.add_option("--norm", a.norm, "linf | l2 | l1");
  cli.add_option("--eps", a.eps, "radius, like 8/255");
  tools::add_texts(cli, "--attack", a.attacks,
                   tools::attack_names() +
                       ", like pgd:steps=20,step=2/255,start=none or aa-standard; several are "
                       "reported alone and together")
      ->delimiter('\0');
  tools::add_whole(cli, "--batch", a.batch, {.least = 1});
  tools::add_whole(cli, "--seed", a.seed, {});
  cli.add_option("--device", a.device, "cpu");
  of_call(
      tools::add_whole(cli, "--threads", a.threads, {.most = rnx::host::max_threads}, "0: all"));
  of_call(cli.add_option("--out", a.out, "folder of the report"));
  of_call(cli.add_option("--save-logits", a.logits,
                         "npy file for the clean logits: float32 (n, classes), in file order"));
  of_call(cli.add_option("--progress", a.progress, "auto | bar | plain | json | off"));
  app.add_frame();
  app.preset("smoke", {{"dataset", "synthetic"}, {"n-ex", "100"}, {"attack", "pgd:steps=5"}});
  app.preset("small", {{"n-ex", "1000"}, {"attack", "pgd:steps=20"}});
  app.preset("paper", {{"n-ex", "0"}, {"attack", "pgd:steps=20"}, {"attack", "aa-standard"}});
}

}  // namespace

int main(int argc, char** argv) {
  tools::App app("rnx-eval", "Clean and attacked accuracy of models, with a report.");
  Arguments a;
  add_options(a, app);
  return app.run(argc, argv, [&] {
    try {
      return run(a, app);
    } catch (const rnx::NumericError& e) {
      throw rnx::FileError(fmt::format("--weights: {}: {}", fmt::join(a.weights, ", "), e.what()));
    }
  });
}
