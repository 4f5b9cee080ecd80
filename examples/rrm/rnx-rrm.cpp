// rnx-rrm: paper 002, "Transferring Adversarial Robustness Through Robust Representation Matching",
// from its teachers to its tables. Each row is a run of rnx-train in a folder of its own; what is
// finished is not done again.
#include <functional>

#include <rnx/io/file_checksum.hpp>

#include "../tools/run_json.hpp"
#include "measure.hpp"
#include "tables.hpp"

namespace {

using namespace rnx;
namespace fs = std::filesystem;
using rrm::Phase;

struct Arguments : paper::Arguments {
  std::string imagenet{};
  std::vector<std::string> teachers{};  ///< ROW=FILE

  /// The file of a teacher that is not trained; "" where it is.
  std::string file_of(const std::string& row) const {
    for (const std::string& text : teachers)
      if (text.substr(0, text.find('=')) == row) return text.substr(row.size() + 1);
    return "";
  }
  /// Errors: UsageError (no row of teachers, no file).
  void check_teachers(const rrm::Plan& plan) const {
    for (const std::string& text : teachers) {
      const std::size_t at = text.find('=');
      require(at != text.npos && at + 1 < text.size(),
              [&] { return "--teacher: expected ROW=FILE, found '" + text + "'"; });
      const rrm::Row* row = plan.find(text.substr(0, at));
      require(row && row->phase == Phase::teacher, [&] {
        return "--teacher: '" + text.substr(0, at) + "' is no teacher of preset " + plan.preset;
      });
      io::SafetensorsFile::read(text.substr(at + 1));
    }
  }
};

/// What a verb does with the rows of its phases.
struct Work {
  std::vector<Phase> phases{};
  bool train = true, time = false, table = false, figure = false;
};

class Pipeline {
 public:
  Pipeline(const Arguments& a, Work work)
      : a_(a),
        work_(std::move(work)),
        plan_(rrm::plan_of(a.preset)),
        display_(a.progress) {
    a.apply(plan_, true);
    a.check_teachers(plan_);
  }

  /// The exit code: the first of the rows' that is not 0.
  int run() {
    const int result = paper::each_run("rnx-rrm", plan_, a_, [&](const rrm::Row& row, int seed) {
      return takes(row) ? one(row, seed) : 0;
    });
    if (tools::stop_on_signals().load()) return result;
    if (work_.figure) rrm::write_figures(plan_, a_.out);
    if (work_.table) {
      rrm::write_tables(plan_, a_.out);
      display_.say("tables: " + (fs::path(a_.out) / "report.md").string());
    }
    return result;
  }

 private:
  fs::path folder(const std::string& row, int seed) const {
    return rrm::folder_of(a_.out, row, seed);
  }
  fs::path teacher_of(const std::string& row, int seed) const {
    return folder(row, seed) / "model.safetensors";
  }

  bool takes(const rrm::Row& row) const {
    return std::find(work_.phases.begin(), work_.phases.end(), row.phase) != work_.phases.end();
  }

  int one(const rrm::Row& row, int seed) {
    if (row.imagenet && a_.imagenet.empty()) {
      display_.say("row " + row.name + ": left out, --imagenet says no folder");
      return 0;
    }
    if (row.phase == Phase::robustify) {
      if (!work_.train) return 0;
      training::Program data;
      data.app.parse({}, {plan_.data_settings(a_.data), "the plan"});
      rrm::robustify(row, teacher_of(row.teacher, seed), data.a.data, folder(row.name, seed),
                     images_, display_);
      return 0;
    }
    if (!row.images.empty()) require_images(row, seed);
    training::Program program;
    program.app.parse({"--out=" + folder(row.name, seed).string(), "--progress=" + a_.progress,
                       fmt::format("--threads={}", a_.threads)},
                      {settings_of(row, seed), "row " + row.name});
    const rrm::Run run{row, program, folder(row.name, seed)};
    const std::string file = a_.file_of(row.name);
    const bool finished =
        file.empty() ? tools::is_finished_run(run.folder, program.app.options(), program.app.name())
                     : rrm::is_taken(run, file);
    if (work_.train && !finished) {
      display_.say(fmt::format("row {}, seed {}", row.name, seed));
      if (!file.empty())
        rrm::take_teacher(run, file, images_);
      else if (const int code = program.train(); code != 0)
        return code;
    }
    if (work_.train) rrm::evaluate(run, plan_.attacks_of(row), images_, display_);
    if (work_.time && file.empty() && (finished || work_.train))
      rrm::measure_time(run, plan_.seconds, images_, display_);
    return 0;
  }

  /// Refuses robustified images of another teacher than the row's.
  void require_images(const rrm::Row& row, int seed) const {
    const rrm::Row* made = plan_.find(row.images);
    const fs::path teacher = teacher_of(made->teacher, seed), images = folder(row.images, seed);
    const std::string now = io::file_checksum(teacher), stored = rrm::teacher_of_images(images);
    require(now == stored, [&] {
      return fmt::format("{} holds images of {}, whose weights are {} now", images.string(),
                         stored.empty() ? "no teacher" : "a teacher with checksum " + stored, now);
    });
  }

  /// rnx-train's options of a row.
  rrm::Json settings_of(const rrm::Row& row, int seed) const {
    rrm::Json s = row.imagenet ? rrm::Json{{"dataset", "image-folder"},
                                           {"data", a_.imagenet},
                                           {"groups", "restricted-imagenet"},
                                           {"image-size", 224},
                                           {"resize", 256},
                                           {"check-images", false}}
                               : plan_.data_settings(a_.data);
    if (!row.images.empty()) {
      s.update({{"dataset", "npy"}, {"data", folder(row.images, seed).string()}, {"n-train", 0}});
      if (plan_.data.value("dataset", "") == "cifar10")
        s.update({{"mean", {.4914, .4822, .4465}}, {"std", {.2471, .2435, .2616}}});
    }
    s.update(row.settings);
    s["seed"] = seed;
    if (!row.teacher.empty()) s["teacher"] = teacher_of(row.teacher, seed).string();
    return s;
  }

  const Arguments& a_;
  Work work_;
  rrm::Plan plan_;
  tools::Display display_;
  rrm::Images images_{};
};

void add_options(Arguments& a, tools::App& app) {
  CLI::App& cli = app.cli;
  a.add_options(cli, "smoke | small | paper");
  cli.add_option("--imagenet", a.imagenet,
                 "folder of ImageNet's images, for the rows of Restricted ImageNet");
  tools::add_texts(cli, "--teacher", a.teachers,
                   "ROW=FILE: weights of a teacher in place of its training, in our names or those "
                   "of RobustBench");
}

int run_verb(const std::string& verb, const std::string& help, const Work& work,
             const tools::App::Arguments& arguments) {
  Arguments a{{.out = "rrm"}};
  tools::App app("rnx-rrm " + verb, help);
  add_options(a, app);
  return app.run(arguments, [&] { return Pipeline(a, work).run(); });
}

}  // namespace

int main(int argc, char** argv) {
  tools::App app("rnx-rrm", "Paper 002: robustness taught by matching representations.");
  const std::vector<Phase> every{Phase::teacher,  Phase::robustify, Phase::baseline,
                                 Phase::transfer, Phase::sweep,     Phase::limit};
  const auto add = [&](const std::string& name, const std::string& help, const Work& work) {
    app.verb(name, help, [=](const tools::App::Arguments& arguments) {
      return run_verb(name, help, work, arguments);
    });
  };
  add("all", "everything, from teachers to tables",
      {.phases = every, .time = true, .table = true, .figure = true});
  add("teacher", "trains and attacks the teachers", {.phases = {Phase::teacher}});
  add("robustify", "makes the images of RDT", {.phases = {Phase::robustify}});
  add("transfer", "trains and attacks RRM's students", {.phases = {Phase::transfer}});
  add("baseline", "trains and attacks SAT, Fast AT, FGSM-RS, Free AT, KD, RDT, natural training",
      {.phases = {Phase::baseline}});
  add("sweep", "RRM over lambda and over epochs", {.phases = {Phase::sweep}});
  add("limit", "students of one teacher", {.phases = {Phase::limit}});
  add("time", "measures steps of the trained rows",
      {.phases = every, .train = false, .time = true});
  add("table", "tables 1 to 10 of what is there", {.train = false, .table = true});
  add("figure", "figures 2 to 5 of what is there", {.train = false, .figure = true});
  return app.run(argc, argv, [] {
    throw UsageError(
        "expected a verb: all, teacher, robustify, transfer, baseline, sweep, limit, "
        "time, table or figure");
    return 0;
  });
}
