#include "evaluate.hpp"

#include <numeric>

#include <rnx/io/file_checksum.hpp>
#include <rnx/io/npy.hpp>

#include "../run_json.hpp"
#include "../sweep_file.hpp"

namespace evaluation {

using namespace rnx;
namespace fs = std::filesystem;

void WorstImages::add(eval::Accuracy& attacked) {
  std::vector<float> images = std::exchange(attacked.adversarials, {});
  const std::size_t n = attacked.samples.size();
  if (images.empty()) return;
  if (images_.empty()) {
    images_.resize(images.size());
    fooled_.resize(n);
  }
  const std::size_t size = images.size() / n;
  for (std::size_t i = 0; i < n; ++i) {
    if (fooled_[i]) continue;
    const eval::Sample& s = attacked.samples[i];
    fooled_[i] = s.clean == s.label && !s.robust;
    std::copy_n(images.begin() + long(i * size), size, images_.begin() + long(i * size));
  }
}

void WorstImages::write(const std::string& file, Dims dims, const eval::Accuracy& of) const {
  const std::size_t n = of.samples.size(), plane = std::size_t(dims.h) * std::size_t(dims.w);
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t(0));
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return of.origin(a) < of.origin(b); });
  std::vector<float> all;
  all.reserve(images_.size());
  for (const std::size_t i : order)
    for (int c = 0; c < dims.c; ++c)
      for (std::size_t k = 0; k < plane; ++k)
        all.push_back(images_[(i * plane + k) * std::size_t(dims.c) + std::size_t(c)]);
  const fs::path path = file;
  if (path.has_parent_path()) tools::make_writable("--save-adversarials", path.parent_path());
  io::write_npy(path, {n, std::size_t(dims.c), std::size_t(dims.h), std::size_t(dims.w)},
                all.data());
}

void print_rows(const report::Report& report, tools::Display& display) {
  for (const auto& m : report.models) {
    for (const auto& row : m.attacks) {
      const auto clean = eval::clean_proportion(row.accuracy),
                 robust = eval::robust_proportion(row.accuracy);
      const auto interval = eval::wilson(robust.right, robust.n);
      display.say(fmt::format("{}: clean {:.2f} %, {}{} {:.2f} % [{:.2f}, {:.2f}] of {} images",
                              m.label, 100 * clean.value(), row.name,
                              row.eps.empty() ? "" : " eps " + row.eps, 100 * robust.value(),
                              100 * interval.low, 100 * interval.high, robust.n));
      const auto after = eval::after_members(row.accuracy);
      for (std::size_t k = 0; k < after.size(); ++k)
        display.say(fmt::format("{}: after {} {:.2f} %", m.label, row.accuracy.members[k],
                                100 * after[k].value()));
    }
    for (const auto& c : m.checks)
      if (c.verdict == eval::Verdict::fired || c.verdict == eval::Verdict::informative)
        display.say(fmt::format("{}: check {} {}: {:.3f} [{:.3f}, {:.3f}] > {:.3f}, {}. {}",
                                m.label, c.name, text_of(c.verdict), c.value, c.interval.low,
                                c.interval.high, c.threshold, c.quantity, c.advice));
  }
}

void write_report(const std::string& out, const report::Report& report) {
  report::write(out, report, [](const std::string& sentence) {
    tools::complain("rnx-eval: report.json is written, but not this: " + sentence);
  });
}

namespace {

Json settings_of(const Arguments& a, const tools::DataSet& data, const tools::App& app,
                 Range range) {
  Json settings{{"dataset", data.name},
                {"data", a.data.dir},
                {"fingerprint", data.test->fingerprint()},
                {"n", range.count},
                {"norm", a.norm},
                {"eps", a.eps_text()},
                {"lattice", a.lattice},
                {"bn_path", a.bn_path},
                {"seed", a.seed},
                {"batch", a.batch},
                {"instruction_set", tools::arithmetic()},
                {"command", "rnx-eval " + fmt::format("{}", fmt::join(app.arguments(), " "))}};
  if (range.count != data.test->size()) settings["shard"] = a.shard;
  return settings;
}

/// All that results depend on.
Json identity_of(const Arguments& a, const Subject& s) {
  Json rows = Json::array();
  for (const tools::AttackText& row : s.rows) {
    rows.push_back({{"name", row.clean ? "clean" : row.text},
                    {"norm", row.clean ? "" : row.norm},
                    {"eps", row.clean ? "" : row.eps_text}});
    if (!row.surrogate.empty()) rows.back()["surrogate"] = row.surrogate;
  }
  return {{"program", "rnx-eval"},
          {"model", a.model},
          {"classes", s.data.test->classes()},
          {"dims", {s.data.test->dims().c, s.data.test->dims().h, s.data.test->dims().w}},
          {"weights", s.checksums},
          {"images", s.data.test->fingerprint()},
          {"mean", s.data.statistics.mean},
          {"std", s.data.statistics.std},
          {"n", s.data.test->size()},
          {"attacks", rows},
          {"seed", a.seed},
          {"lattice", a.lattice},
          {"bn_path", a.bn_path},
          {"adversarials", !a.adversarials.empty()},
          {"instruction_set", tools::arithmetic()}};
}

/// run.json: what was asked for and with what.
void write_run(const Arguments& a, const tools::App& app, const Json& settings) {
  tools::Json run = tools::begin_run_json(app.name(), app.options());
  run.update(tools::this_start(app.name(), app.arguments()));
  run.update(settings);
  run["model"] = a.model;
  run["weights"] = a.weights;
  run["attacks"] = a.attacks;
  io::write_file(fs::path(a.out) / "run.json", tools::text_of(run));
}

/// Clean logits, before the attacks: a file that cannot be written is then known at once.
void save_logits(const Arguments& a, const NetworkBase<float>& net, const data::Source& images,
                 eval::Options o, tools::Display& display) {
  o.keep_logits = true;
  o.progress = display.counting("logits");
  const auto clean = tools::AttackText::parse("clean", a.norm, a.eps[0]);
  const eval::Accuracy r = clean.run(net, images, o);
  const fs::path file = a.logits;
  if (file.has_parent_path()) tools::make_writable("--save-logits", file.parent_path());
  tools::write_logits(a.logits, r);
  display.say("logits: " + a.logits);
}

eval::Options options_of(const Arguments& a) {
  const Arguments::Paths paths = a.paths();
  return {.batch = a.batch,
          .path = paths.predict,
          .attack_path = paths.attack,
          .seed = a.seed,
          .keep_adversarials = !a.adversarials.empty(),
          .lattice = a.lattice_kind(),
          .stop = &tools::stop_on_signals()};
}

}  // namespace

int evaluate(const Arguments& a, const tools::App& app, const Subject& s, tools::Display& display) {
  const tools::FolderLock lock("--out", a.out, "rnx-eval");
  const Range range = range_of_shard(a.shard, s.data.test->size());
  report::Report report{.title = "Robustness of " + a.model + " on " + s.data.name,
                        .settings = settings_of(a, s.data, app, range),
                        .class_names = s.data.test->class_names(),
                        .models = {}};
  const State state(a.out, identity_of(a, s),
                    {{"settings", report.settings},
                     {"class_names", report.class_names},
                     {"labels", s.labels},
                     {"weights", a.weights},
                     {"options", app.options()}},
                    a.resume);
  write_run(a, app, report.settings);
  const eval::Options o = options_of(a);
  const data::Part part(*s.data.test, range.first, range.count);
  if (!a.logits.empty()) save_logits(a, *s.nets[0], part, o, display);
  WorstImages worst;
  bool fired = false;
  for (std::size_t k = 0; k < a.weights.size(); ++k) {
    display.say(
        fmt::format("{}: {} under {}", s.labels[k], a.weights[k], fmt::join(a.attacks, ", ")));
    const auto run = [&](std::size_t row, const tools::AttackText& attack,
                         const eval::Options& options) {
      tools::RowResult result = state.run(k, row, *s.nets[k], *s.data.test, attack, options, range);
      worst.add(result.accuracy);
      return result;
    };
    report.models.push_back(tools::model_report(*s.nets[k], s.labels[k], a.model, a.weights[k],
                                                s.rows, o, display, run));
    if (a.threat_sweep) report.models[k].details["worst_threat"] = worst_threat(report.models[k]);
    report.models[k].checks = checks_of(a, s, k, display);
    for (const eval::Check& c : report.models[k].checks)
      fired = fired || c.verdict == eval::Verdict::fired;
  }
  if (!a.adversarials.empty())
    worst.write(a.adversarials, s.data.test->dims(), report.models[0].attacks[0].accuracy);
  write_report(a.out, report);
  if (!a.robustbench.empty()) write_robustbench(a, report, *s.nets[0]);
  if (a.shard == "1/1") state.remove();
  print_rows(report, display);
  display.say("report: " + a.out + "/report.html");
  return fired && a.strict_checks ? check_fired : 0;
}

}  // namespace evaluation
