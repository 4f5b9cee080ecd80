// rnx-mbn: paper 003, "Adversarial Robustness of Multi-bit Convolutional Neural Networks", from
// its networks to its tables. Each row is a run of rnx-train in a folder of its own; what is
// finished is not done again.
#include <functional>

#include <rnx/deploy.hpp>

#include "../tools/run_json.hpp"
#include "measure.hpp"
#include "tables.hpp"

namespace {

using namespace rnx;
namespace fs = std::filesystem;

struct Arguments : paper::Arguments {
  std::string cifar100{}, imagenet{}, model = "resnet20", bases{};
  bool dry_run = false;

  /// The folder of a row's images; "": none was named.
  const std::string& place(const mbn::Row& row) const {
    const std::string& images = row.block.images;
    return images == "cifar100" ? cifar100 : images == "imagenet" ? imagenet : data;
  }
};

/// What a verb does with which rows.
struct Work {
  bool train = false, attack = false, threats = false, flow = false, pack = false, bench = false,
       table = false, figure = false;
  bool bases_alone = false;   ///< rows of M x N bases
  bool pruned_alone = false;  ///< pruned rows
};

class Pipeline {
 public:
  Pipeline(const Arguments& a, Work work)
      : a_(a),
        work_(work),
        plan_(mbn::plan_of(a.preset, a.bases)),
        display_(a.progress) {
    const bool others = !a.cifar100.empty() || !a.imagenet.empty();
    a.apply(plan_, !others);
  }

  /// The exit code: the first of the rows' that is not 0.
  int run() {
    const int result = paper::each_run("rnx-mbn", plan_, a_, [&](const mbn::Row& row, int seed) {
      return takes(row) ? one(row, seed) : 0;
    });
    if (tools::stop_on_signals().load()) return result;
    if (work_.figure) mbn::write_figures(plan_, a_.out);
    if (work_.table) {
      mbn::write_tables(plan_, a_.out);
      display_.say("tables: " + (fs::path(a_.out) / "report.md").string());
    }
    return result;
  }

 private:
  bool works() const {
    return work_.train || work_.attack || work_.threats || work_.flow || work_.pack || work_.bench;
  }
  bool takes(const mbn::Row& row) const {
    return works() && (a_.bases.empty() || row.method == a_.bases) &&
           (!work_.bases_alone || row.method.find('x') == 1) &&
           (!work_.pruned_alone || !row.from.empty());
  }
  /// The trained network of full precision with the row's training; "": the row's own, or none.
  fs::path floats_beside(const mbn::Row& row, int seed) const {
    const std::string name = row.block.prefix + "fp";
    const fs::path file = paper::folder_of(a_.out, name, seed) / "model.safetensors";
    return row.name == name || !paper::is_there(file) ? fs::path() : file;
  }
  /// The weights that a row prunes.
  fs::path weights_for(const mbn::Row& row, int seed) const {
    return paper::folder_of(a_.out, row.from, seed) / "model.safetensors";
  }
  /// Errors: UsageError (the weights that it prunes are not trained).
  void require_weights(const mbn::Row& row, int seed) const {
    const fs::path file = row.from.empty() ? "" : weights_for(row, seed);
    require(file.empty() || paper::is_there(file), [&] {
      return fmt::format("it prunes the weights of row {}, which is not trained: {} is not there",
                         row.from, file.string());
    });
  }

  /// rnx-train's options of a row.
  mbn::Json settings_of(const mbn::Row& row, int seed) const {
    mbn::Json settings = plan_.data;
    if (!plan_.synthetic()) {
      const bool folders = row.block.images == "imagenet";
      settings["dataset"] = folders ? "image-folder" : row.block.images;
      settings["data"] = a_.place(row);
      if (folders) settings.update({{"image-size", 224}, {"resize", 256}, {"check-images", false}});
    }
    settings.update(row.settings);
    settings["seed"] = seed;
    if (!row.from.empty()) settings["init"] = weights_for(row, seed).string();
    return settings;
  }

  int one(const mbn::Row& row, int seed) {
    if (!plan_.synthetic() && a_.place(row).empty()) {
      display_.say("row " + row.name + ": left out, no folder of " + row.block.images +
                   " was given");
      return 0;
    }
    const fs::path folder = paper::folder_of(a_.out, row.name, seed);
    training::Program program;
    program.app.parse({"--out=" + folder.string(), "--progress=" + a_.progress,
                       fmt::format("--threads={}", a_.threads)},
                      {settings_of(row, seed), "row " + row.name});
    const bool finished = tools::is_finished_run(folder, program.app.options(), program.app.name());
    if (work_.train && !finished) {
      require_weights(row, seed);
      display_.say(fmt::format("row {}, seed {}", row.name, seed));
      if (const int code = program.train(); code != 0) return code;
    }
    if (!work_.train && !finished) return 0;
    const mbn::Run run{row, program, folder, floats_beside(row, seed)};
    if (work_.attack) mbn::evaluate(run, plan_.attacks, images_, display_);
    const bool natural = row.natural();
    if (work_.threats && natural && row.block.images == "cifar10")
      mbn::sweep_threats(run, plan_.attacks, images_, display_);
    if (work_.flow && natural) mbn::measure_flow(run, plan_.attacks, images_, display_);
    if constexpr (mbn::packs) {
      const bool packable = mbn::is_packable(row.method);
      if (work_.pack && packable) mbn::pack(run, display_);
      if (work_.bench && packable && natural && seed == plan_.seeds[0])
        mbn::bench(run, plan_.speed, display_);
    }
    return 0;
  }

  const Arguments& a_;
  Work work_;
  mbn::Plan plan_;
  tools::Display display_;
  paper::Images images_{};
};

/// The cost of a network, of no images.
int print_cost(const Arguments& a) {
  const mbn::Method method = mbn::method_of(a.bases.empty() ? "fp" : a.bases);
  require(mbn::pruned_unit(method.name).empty(),
          "--dry-run: what a pruned network costs is known of trained weights alone");
  const std::string model = mbn::model_of(a.model, method);
  const auto net = models::Registry<>::instance().make(model, mbn::options_of(a.model));
  training::print_layers(cost::table(*net, {.shortcuts_as_3x3 = mbn::shortcuts_as_3x3(a.model)}));
  return 0;
}

void add_options(Arguments& a, tools::App& app) {
  CLI::App& cli = app.cli;
  a.add_options(cli, "smoke | small | paper");
  cli.add_option(
      "--bases", a.bases,
      "rows of this representation alone: MxN bases (1x1 to 8x8), int8_MxN, pactK, pactMxN, "
      "dorefaK, fp, xnor, pruned-weights or pruned-channels");
  cli.add_option("--cifar100", a.cifar100, "folder of CIFAR-100's binary files");
  cli.add_option("--imagenet", a.imagenet, "folder of ImageNet's images");
  cli.add_option("--model", a.model, "of --dry-run: resnet20 | resnet56 | resnet18_imagenet");
  cli.add_flag("--dry-run", a.dry_run, "prints the cost of a network and ends");
}

}  // namespace

int main(int argc, char** argv) {
  tools::App app("rnx-mbn", "Paper 003: the robustness of networks of several bits.");
  const auto add = [&](const std::string& name, const std::string& help, const Work& work) {
    app.verb(name, help, [=](const tools::App::Arguments& arguments) {
      Arguments a{{.out = "mbn"}};
      tools::App verb("rnx-mbn " + name, help);
      add_options(a, verb);
      return verb.run(arguments,
                      [&] { return a.dry_run ? print_cost(a) : Pipeline(a, work).run(); });
    });
  };
  add("all", "everything, from training to tables",
      {.train = true,
       .attack = true,
       .threats = true,
       .flow = true,
       .pack = true,
       .bench = true,
       .table = true,
       .figure = true});
  add("train", "trains the rows", {.train = true});
  add("attack", "attacks the trained rows: PGD-20 and PGD-50", {.attack = true});
  add("threat-sweep", "sizes of PGD's steps and numbers of them", {.threats = true});
  add("sweep", "trains and attacks the rows of M x N bases",
      {.train = true, .attack = true, .bases_alone = true});
  add("prune", "prunes trained rows of full precision, fine-tunes and attacks them",
      {.train = true, .attack = true, .pruned_alone = true});
  add("flow", "how much of the gradients the surrogates let through", {.flow = true});
  if constexpr (mbn::packs) {
    add("pack", "writes the packed networks of the trained rows of signs", {.pack = true});
    add("bench", "times inference of the packed networks against full precision", {.bench = true});
  }
  add("table", "tables 2 and 3 of what is there", {.table = true});
  add("figure", "figures 2 to 4 of what is there", {.figure = true});
  return app.run(argc, argv, [] {
    throw UsageError(
        "expected a verb: all, train, attack, threat-sweep, sweep, prune, flow, pack, bench, table "
        "or figure");
    return 0;
  });
}
