// rnx-rlnet: paper 000, "Linearizing Models for Efficient yet Robust Private Inference", from its
// teachers to its tables. Each row is a run of rnx-train in a folder of its own; what is finished
// is not done again.
#include <functional>

#include <rnx/linearize.hpp>

#include "../tools/run_json.hpp"
#include "measure.hpp"
#include "printed.hpp"

namespace {

using namespace rnx;
namespace fs = std::filesystem;
using rlnet::Phase;

struct Arguments : paper::Arguments {
  std::string cifar100{}, tiny{}, corruptions{}, corruptions100{}, corruptions_tiny{}, frost{},
      model{};
  bool dry_run = false;

  /// Of the row's images.
  const std::string& place(const rlnet::Row& row) const {
    return row.images == "cifar100" ? cifar100 : row.images == "tiny" ? tiny : data;
  }
  const std::string& official(const rlnet::Row& row) const {
    return row.images == "cifar100" ? corruptions100
           : row.images == "tiny"   ? corruptions_tiny
                                    : corruptions;
  }
};

/// What a verb does with the rows of its phases.
struct Work {
  std::vector<Phase> phases{};
  bool train = true, evaluate = false, behind_switch = false, corrupt = false, table = false,
       figure = false;
};

class Pipeline {
 public:
  Pipeline(const Arguments& a, Work work)
      : a_(a),
        work_(std::move(work)),
        plan_(rlnet::plan_of(a.preset)),
        display_(a.progress) {
    a.apply(plan_, work_.train || work_.evaluate);
  }

  /// The exit code: the first of the rows' that is not 0.
  int run() {
    const int result = paper::each_run(
        "rnx-rlnet", plan_, a_,
        [&](const rlnet::Row& row, int seed) { return takes(row, seed) ? one(row, seed) : 0; });
    if (tools::stop_on_signals().load()) return result;
    if (work_.figure) rlnet::write_figures(plan_, a_.out);
    if (work_.table) {
      rlnet::write_tables(plan_, a_.out);
      display_.say("tables: " + (fs::path(a_.out) / "report.md").string());
    }
    return result;
  }

 private:
  bool takes(const rlnet::Row& row, int seed) const {
    return std::find(work_.phases.begin(), work_.phases.end(), row.phase) != work_.phases.end() &&
           (row.phase != Phase::sensitivity || seed == plan_.seeds[0]);
  }
  fs::path folder(const std::string& row, int seed) const {
    return paper::folder_of(a_.out, row, seed);
  }
  std::string weights_of(const std::string& row, int seed) const {
    return (folder(row, seed) / "model.safetensors").string();
  }

  int one(const rlnet::Row& row, int seed) {
    if (!plan_.synthetic() && a_.place(row).empty()) {
      display_.say("row " + row.name + ": left out, no folder of " + row.images + " was given");
      return 0;
    }
    training::Program program;
    program.app.parse({"--out=" + folder(row.name, seed).string(), "--progress=" + a_.progress,
                       fmt::format("--threads={}", a_.threads)},
                      {settings_of(row, seed), "row " + row.name});
    const bool finished =
        tools::is_finished_run(folder(row.name, seed), program.app.options(), program.app.name());
    if (work_.train && !finished) {
      display_.say(fmt::format("row {}, seed {}", row.name, seed));
      if (const int code = program.train(); code != 0) return code;
    }
    const rlnet::Run run{row, program, folder(row.name, seed)};
    const tools::DataSet& set = images_.of(program.a.data, true);
    if (row.phase == Phase::sensitivity) {
      if (work_.train) rlnet::write_sensitivities(run, set);
      return 0;
    }
    if (work_.corrupt) corrupted(row, set);
    if ((work_.evaluate || work_.behind_switch) && row.phase != Phase::mask) {
      require(finished || work_.train,
              [&] { return "it has not been trained: " + run.folder.string(); });
      const rlnet::Corrupted& versions = corrupted(row, set);
      if (work_.evaluate) rlnet::evaluate(run, plan_.measures, set, versions, display_);
      if (work_.behind_switch) rlnet::evaluate_switch(run, plan_.measures, set, versions, display_);
    }
    return 0;
  }

  /// Made once for each data set.
  const rlnet::Corrupted& corrupted(const rlnet::Row& row, const tools::DataSet& set) {
    for (const auto& [images, versions] : corrupted_)
      if (images == row.images) return *versions;
    const rlnet::CorruptionPlace place{.official = a_.official(row),
                                       .frost = a_.frost,
                                       .own = fs::path(a_.out) / ("corrupted-" + row.images)};
    corrupted_.emplace_back(
        row.images, std::make_unique<rlnet::Corrupted>(place, *set.test, plan_.measures.corrupted,
                                                       row.images == "tiny", display_));
    return *corrupted_.back().second;
  }

  /// rnx-train's options of a row.
  rlnet::Json settings_of(const rlnet::Row& row, int seed) const {
    rlnet::Json s = plan_.data;
    if (!plan_.synthetic()) {
      s["dataset"] = row.images == "tiny" ? "image-folder" : row.images;
      s["data"] = a_.place(row);
      if (row.images == "tiny")
        s.update({{"image-size", 64}, {"mean", {0., 0., 0.}}, {"std", {1., 1., 1.}}});
    }
    s.update(row.settings);
    s["seed"] = seed;
    if (!row.teacher.empty()) s["teacher"] = weights_of(row.teacher, seed);
    if (!row.init.empty()) s["init"] = weights_of(row.init, seed);
    if (!row.shares.empty())
      s["shares"] = (folder(row.shares, plan_.seeds[0]) / "sensitivity.json").string();
    return s;
  }

  const Arguments& a_;
  Work work_;
  rlnet::Plan plan_;
  tools::Display display_;
  paper::Images images_{};
  std::vector<std::pair<std::string, std::unique_ptr<rlnet::Corrupted>>> corrupted_{};
};

/// The table of layers of one network, and how many ReLUs have masks.
int print_model(const std::string& name) {
  const auto& registry = models::Registry<>::instance();
  const std::string full = name.ends_with("_rlnet") ? name : name + "_rlnet";
  tools::require_known("--model", full, registry.names());
  const AnyNetwork<float> net = registry.make(full);
  training::print_layers(cost::table(*net));
  const auto layers = linearize::relu_layers(net->graph());
  fmt::print("ReLUs {}\n", linearize::total(std::span(layers)));
  return 0;
}

void add_options(Arguments& a, tools::App& app) {
  CLI::App& cli = app.cli;
  a.add_options(cli, "smoke | small | small-ablation | paper");
  cli.add_option("--cifar100", a.cifar100, "folder of CIFAR-100's binary files");
  cli.add_option("--tiny-imagenet", a.tiny, "folder of Tiny-ImageNet's images");
  cli.add_option("--corruptions", a.corruptions,
                 "folder of the published CIFAR-10-C files; without it they are computed");
  cli.add_option("--corruptions-100", a.corruptions100, "the same of CIFAR-100-C");
  cli.add_option("--corruptions-tiny", a.corruptions_tiny, "the same of Tiny-ImageNet-C");
  cli.add_option("--frost", a.frost,
                 "folder of photographs of frost, for computed corruptions; without it ice is "
                 "computed, too");
  cli.add_option("--model", a.model, "of --dry-run: resnet18 | resnet34 | wrn_22_8 | resnet20");
  cli.add_flag("--dry-run", a.dry_run, "prints the layers of --model and ends");
}

int run_verb(const std::string& verb, const std::string& help, const Work& work,
             const tools::App::Arguments& arguments) {
  Arguments a{{.out = "rlnet"}};
  tools::App app("rnx-rlnet " + verb, help);
  add_options(a, app);
  return app.run(arguments, [&] {
    require(a.dry_run == !a.model.empty(), "--dry-run and --model go together");
    return a.dry_run ? print_model(a.model) : Pipeline(a, work).run();
  });
}

}  // namespace

int main(int argc, char** argv) {
  tools::App app("rnx-rlnet", "Paper 000: networks of few ReLUs that stay robust.");
  const std::vector<Phase> every{Phase::teacher, Phase::sensitivity, Phase::mask, Phase::finetune,
                                 Phase::baseline};
  const auto add = [&](const std::string& name, const std::string& help, const Work& work) {
    app.verb(name, help, [=](const tools::App::Arguments& arguments) {
      return run_verb(name, help, work, arguments);
    });
  };
  add("all", "everything, from teachers to tables",
      {.phases = every, .evaluate = true, .behind_switch = true, .table = true, .figure = true});
  add("teacher", "trains the teachers", {.phases = {Phase::teacher}});
  add("sensitivity", "trains under pruning, for the layers' shares",
      {.phases = {Phase::sensitivity}});
  add("mask", "searches masks", {.phases = {Phase::mask}});
  add("finetune", "fine-tunes with the masks that were found", {.phases = {Phase::finetune}});
  add("baseline", "trains what RLNet is compared with, and the ablations",
      {.phases = {Phase::baseline}});
  add("eval", "clean, corrupted and attacked accuracy of what is trained",
      {.phases = every, .train = false, .evaluate = true});
  add("switch", "the confidence switch of what is trained",
      {.phases = every, .train = false, .behind_switch = true});
  add("corrupt", "makes the corrupted test images",
      {.phases = {Phase::teacher}, .train = false, .corrupt = true});
  add("table", "tables 1 to 6 of what is there", {.train = false, .table = true});
  add("figure", "figures 1, 2, 4, 5 and 6 of what is there", {.train = false, .figure = true});
  return app.run(argc, argv, [] {
    throw UsageError(
        "expected a verb: all, teacher, sensitivity, mask, finetune, baseline, eval, switch, "
        "corrupt, table or figure");
    return 0;
  });
}
