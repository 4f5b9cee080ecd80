// rnx-eval: clean and attacked accuracy of models with given weights, as report.json, report.md,
// report.html and per_sample.csv; shards of it, and comparisons.
#include <algorithm>
#include <filesystem>

#include <rnx/deploy.hpp>
#include <rnx/io/file_checksum.hpp>

#include "eval/evaluate.hpp"
#include "run_json.hpp"
#include "sweep_file.hpp"

namespace {

using evaluation::Arguments;

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
  tools::require_can_hold("--out", evaluation::state_folder(out));
  tools::require_apart("--out", out, a.data.dir);
  for (const char* name : {"run.json", "report.json"})
    tools::require_writable_file("--out", out / name);
  if (!a.logits.empty()) tools::require_writable_file("--save-logits", a.logits);
  if (!a.adversarials.empty()) tools::require_writable_file("--save-adversarials", a.adversarials);
  const tools::Json before = tools::read_run_json("--out", out, app.name());
  if (before.is_null()) return;
  const std::string difference =
      tools::first_difference(before.value("options", tools::Json::object()), app.options());
  rnx::require(difference.empty(), [&] {
    return "--out: " + a.out + " holds an evaluation with other options: " + difference +
           "; choose another folder";
  });
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

/// The networks with their weights. Errors: FileError (weights of another network, or of other
/// classes).
std::vector<rnx::AnyNetwork<float>> load(const Arguments& a, const std::string& model,
                                         const std::vector<std::string>& names,
                                         const tools::DataSet& data) {
  tools::require_same_classes(a.weights[0], names, "the data set", data.test->class_names());
  std::vector<rnx::AnyNetwork<float>> nets;
#if RNX_DEVICE_IS(cpu)  // else --packed is refused
  for (const std::string& weights : a.packed) {
    const auto family = rnx::deploy::Registry::instance().find(a.model, data.test->dims());
    nets.push_back(family.make(data.test->classes()));
    rnx::deploy::load(weights, *nets.back());
  }
#endif
  if (!a.packed.empty()) return nets;
  for (const std::string& weights : a.weights) {
    nets.push_back(tools::make_model(model, *data.test, 0, data.statistics));
    tools::load_weights("rnx-eval", weights, *nets.back(), data.statistics);
  }
  return nets;
}

std::vector<std::string> checksums_of(const std::vector<std::string>& weights) {
  std::vector<std::string> checksums;
  for (const std::string& file : weights) checksums.push_back(rnx::io::file_checksum(file));
  return checksums;
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

/// Errors: UsageError (more images are asked for than there are; the default asks for those that
/// there are).
void require_images(const Arguments& a, const tools::App& app, std::size_t n) {
  const bool asked = app.cli.get_option("--n-ex")->count() > 0;
  rnx::require(!asked || std::size_t(a.n_ex) <= n, [&] {
    return fmt::format("--n-ex: expected at most {}, the images of the data set, found {}", n,
                       a.n_ex);
  });
}

int run(Arguments& a, const tools::App& app) {
  tools::stop_on_signals();
  // all that can be refused first: an hour of decoding or of attacks must not end at a file that
  // cannot be read or written
  a.take_packed(app);
  a.check();
  if (a.threads) rnx::host::set_threads(a.threads);
  const std::vector<std::string> labels = labels_of(a);
  const std::vector<tools::AttackText> rows = a.rows();
  tools::Shard::parse(a.shard, SIZE_MAX);
  tools::DataOptions options = a.data;
  options.n_test = a.n_ex;
  options.class_names = read_class_names(a.weights);
  const tools::DataFacts facts = tools::describe_data(options, false, true);
  if (a.packed.empty())
    tools::require_model(a.model, *facts.test);
  else
    rnx::deploy::Registry::instance().find(a.model, facts.test->dims);
  if (!a.surrogate.empty()) tools::require_model(a.surrogate, *facts.test);
  require_outputs(a, app);
  if (facts.test->n > 0) require_images(a, app, facts.test->n);
  tools::Display display(a.progress);

  const tools::DataSet data = read_data(options, display);
  require_images(a, app, data.test->size());
  const std::vector<rnx::AnyNetwork<float>> nets = load(a, a.model, options.class_names, data);
  evaluation::range_of_shard(a.shard, data.test->size());
  evaluation::require_possible(a, rows, nets[0]->classes(), rnx::path_count(nets[0]->graph()));
  tools::work_begins("this step");
  tools::make_writable("--out", a.out);
  return evaluation::evaluate(
      a, app,
      {.data = data,
       .nets = nets,
       .labels = labels,
       .checksums = checksums_of(a.weights),
       .rows = rows,
       .surrogates = a.surrogate.empty() ? std::vector<rnx::AnyNetwork<float>>{}
                                         : load(a, a.surrogate, options.class_names, data)},
      display);
}

}  // namespace

int main(int argc, char** argv) {
  tools::App app("rnx-eval", "Clean and attacked accuracy of models, with a report.");
  Arguments a;
  evaluation::add_options(a, app);
  evaluation::add_merge_verb(app);
  evaluation::add_compare_verb(app);
  return app.run(argc, argv, [&] {
    try {
      return run(a, app);
    } catch (const rnx::NumericError& e) {
      throw rnx::FileError(fmt::format("--weights: {}: {}", fmt::join(a.weights, ", "), e.what()));
    }
  });
}
