#include "measure.hpp"

#include <algorithm>
#include <chrono>

#include <rnx/io/file_checksum.hpp>
#include <rnx/train.hpp>

#include "../tools/checks.hpp"
#include "../tools/run_json.hpp"

namespace rrm {

using namespace rnx;
namespace fs = std::filesystem;

namespace {

/// Cross-entropy of the logits over a temperature, which a student of distillation was trained
/// with.
struct AtTemperature {
  double temperature = 1;
  loss::CrossEntropy operator()(const std::int32_t* labels) const {
    return {.labels = labels, .temperature = temperature};
  }
};
constexpr double kd_temperature = 30;

/// f(attack) with AutoPGD in the run's norm and ball.
template <class F> auto with_auto_pgd(const Row& row, int steps, F f) {
  const Rational eps = Rational::parse(row.eps, "eps");
  return row.norm == norm::L2::name ? f(attack::AutoPgd<norm::L2>{.eps = eps, .steps = steps})
                                    : f(attack::AutoPgd<norm::Linf>{.eps = eps, .steps = steps});
}

struct Victim {
  AnyNetwork<float> net{};
  std::string weights{};
};
Victim load(const Run& run, const tools::DataSet& set) {
  Victim v{.net = tools::make_model(run.program.a.model, *set.test, 0),
           .weights = (run.folder / "model.safetensors").string()};
  io::load_model(v.weights, *v.net);
  return v;
}

/// Attacks in the order in which tables read them.
std::vector<tools::AttackText> attacks_of(const Row& row, const Attacks& k) {
  std::vector<tools::AttackText> list;
  const auto add = [&](const std::string& text) {
    list.push_back(tools::AttackText::parse(text, row.norm, row.eps));
  };
  add("clean");
  add(fmt::format("pgd:steps={}", k.pgd_steps));
  add(fmt::format("apgd-ce:steps={},restarts={}", k.steps, k.restarts));
  add(fmt::format("apgd-ce:steps={},restarts={},rule=art", k.steps, k.restarts));
  add(fmt::format("apgd-ce:steps={},restarts={},rule=art", k.short_steps, k.short_restarts));
  return list;
}

Json settings_of(const Run& run, const data::Source& images) {
  return {{"row", run.row.name},
          {"fingerprint", images.fingerprint()},
          {"seed", run.program.a.seed},
          {"instruction_set", tools::arithmetic()}};
}
void write_report(const fs::path& folder, const Run& run, const tools::DataSet& set,
                  const data::Source& images, report::ModelReport model) {
  report::Report report{.title = run.row.name,
                        .settings = settings_of(run, images),
                        .class_names = set.test->class_names(),
                        .models = {}};
  report.models.push_back(std::move(model));
  report::write(folder, report, [](const std::string& sentence) {
    tools::complain("rnx-rrm: report.json is written, but not this: " + sentence);
  });
}

/// What the attacks' numbers contradict of their order, one sentence each.
Json contradictions_of(const std::vector<report::AttackRow>& rows) {
  Json list = Json::array();
  const auto right = [&](std::size_t k) { return eval::robust_proportion(rows[k].accuracy).right; };
  const long n = long(rows[0].accuracy.samples.size()), few = std::max(1l, n / 100);
  if (right(3) > right(1) + few)
    list.push_back(
        fmt::format("AutoPGD (ART's) leaves {} of {} images, PGD {}: attacks of "
                    "more steps should leave fewer",
                    right(3), n, right(1)));
  if (right(2) > right(1) + few)
    list.push_back(
        fmt::format("AutoPGD leaves {} of {} images, PGD {}: attacks of more steps "
                    "should leave fewer",
                    right(2), n, right(1)));
  if (rows.size() > 5 && right(5) + 5 * few < right(3))
    list.push_back(
        fmt::format("through logits over {} AutoPGD leaves {} of {} images, at 1 {}: "
                    "its gradients vanish there",
                    kd_temperature, right(5), n, right(3)));
  return list;
}

void attack_at_temperature(const Run& run, const Victim& v, const data::Source& images,
                           const Attacks& k, eval::Options o, report::ModelReport& model) {
  with_auto_pgd(run.row, k.steps, [&](auto attack) {
    attack.restarts = k.restarts;
    attack.rule = attack::AutoPgdRule::art;
    eval::Accuracy r = eval::accuracy(*v.net, images, attack, AtTemperature{kd_temperature}, o);
    const double forwards = r.forwards(), backwards = r.backwards();
    model.attacks.push_back({.name = fmt::format("apgd-ce:steps={},restarts={},rule=art,"
                                                 "temperature={}",
                                                 k.steps, k.restarts, kd_temperature),
                             .norm = run.row.norm,
                             .eps = run.row.eps,
                             .accuracy = std::move(r),
                             .forwards = forwards,
                             .backwards = backwards});
    return 0;
  });
}

/// Accuracy under AutoPGD for radii from 0 to twice the trained one.
void write_curve(const Run& run, const Victim& v, const data::Source& images, const Attacks& k,
                 const eval::Options& o) {
  const double eps = Rational::parse(run.row.eps, "eps").value();
  std::vector<Rational> radii;
  Json curve{{"norm", run.row.norm}, {"n", images.size()}};
  for (const double part : {0.25, 0.5, 0.75, 1., 1.5, 2.}) radii.emplace_back(part * eps);
  const auto results = eval::after_each(with_auto_pgd(run.row, k.curve_steps, [&](auto attack) {
    return eval::curve(*v.net, images, attack, radii, AtTemperature{}, o);
  }));
  curve["eps"] = {0.0};
  curve["right"] = {eval::clean_proportion(results[0]).right};
  for (std::size_t i = 0; i < radii.size(); ++i) {
    curve["eps"].push_back(radii[i].value());
    curve["right"].push_back(eval::robust_proportion(results[i]).right);
  }
  io::write_file(run.folder / "curve.json", tools::text_of(curve));
}

bool is_drawn(const Row& row) {
  const auto& names = rows_over_radii();
  return std::find(names.begin(), names.end(), row.name) != names.end();
}

/// What the attacks' files are of.
Json facts(const Run& run, const data::Source& images, const Attacks& k) {
  return {{"weights", io::file_checksum(run.folder / "model.safetensors")},
          {"fingerprint", images.fingerprint()},
          {"seed", run.program.a.seed},
          {"norm", run.row.norm},
          {"eps", run.row.eps},
          {"images", k.images},
          {"pgd_steps", k.pgd_steps},
          {"steps", {k.steps, k.short_steps, k.curve_steps}},
          {"restarts", {k.restarts, k.short_restarts}},
          {"auto_attack", k.auto_attack},
          {"checks", {k.check_images, k.check_steps, k.check_queries}}};
}
/// Removes files that measured.json says were measured of something else, and notes `now` there.
void remove_of_others(const Run& run, const Json& now, const std::vector<fs::path>& files) {
  const fs::path of = run.folder / "measured.json";
  if (paper::is_measured(of, now)) return;
  for (const fs::path& file : files) fs::remove(file);
  io::write_file(of, tools::text_of(now));
}

/// Multiplications of what was counted, for each sample: a backward to the weights is two of a
/// forward, one to the images alone is one.
double predicted_macs(const train::StagePasses& p, double samples, double student, double teacher) {
  return (student * double(p.student.forwards + 2 * p.student.backwards + p.attacks.forwards +
                           p.attacks.backwards) +
          teacher * double(p.others.forwards)) /
         samples;
}

}  // namespace

void evaluate(const Run& run, const Attacks& k, Images& images, tools::Display& display) {
  const fs::path report = run.folder / "attacks", stronger = run.folder / "autoattack";
  const training::Arguments& a = run.program.a;
  const tools::DataSet& set = images.of(a.data, false);
  remove_of_others(run, facts(run, *set.test, k),
                   {report / "report.json", run.folder / "curve.json", stronger / "report.json"});
  const bool attacked = is_there(report / "report.json"),
             drawn = !is_drawn(run.row) || is_there(run.folder / "curve.json"),
             all = k.auto_attack == 0 || is_there(stronger / "report.json");
  if (attacked && drawn && all) return;
  const Victim v = load(run, set);
  const auto first = [&](int n) {
    return data::Part(*set.test, 0,
                      n ? std::min(std::size_t(n), set.test->size()) : set.test->size());
  };
  tools::work_begins("this step");
  eval::Options o{.seed = a.seed, .stop = &tools::stop_on_signals()};
  const data::Part some = first(k.images);
  if (!attacked) {
    report::ModelReport model =
        tools::model_report(*v.net, run.row.name, a.model, v.weights, attacks_of(run.row, k), o,
                            display, tools::run_whole(*v.net, some));
    if (run.row.kd()) attack_at_temperature(run, v, some, k, o, model);
    model.details["contradictions"] = contradictions_of(model.attacks);
    for (const Json& sentence : model.details["contradictions"])
      tools::complain("rnx-rrm: " + run.row.name + ": " + sentence.get<std::string>());
    model.checks = tools::run_checks(run.row.norm, *v.net, some,
                                     {.eps = Rational::parse(run.row.eps, "eps").value(),
                                      .images = std::min(k.check_images, int(some.size())),
                                      .steps = k.check_steps,
                                      .queries = k.check_queries,
                                      .seed = a.seed},
                                     run.row.name, display);
    write_report(report, run, set, some, std::move(model));
  }
  if (!drawn) write_curve(run, v, some, k, o);
  if (!all) {
    const data::Part few = first(k.auto_attack);
    write_report(
        stronger, run, set, few,
        tools::model_report(*v.net, run.row.name, a.model, v.weights,
                            {tools::AttackText::parse("aa-standard", run.row.norm, run.row.eps)}, o,
                            display, tools::run_whole(*v.net, few)));
  }
}

namespace {

/// Steps of a run on its first images: how long, and what was counted.
struct Measured {
  double seconds = 0;  ///< of the median step, replays included
  std::size_t steps = 0;
  int n = 0;  ///< samples of a step
  train::StagePasses passes{};
  Json bytes = Json::object();  ///< of traces
};

Measured measured_steps(const training::Arguments& a, const tools::DataSet& set,
                        training::Model& model, double seconds) {
  using clock = std::chrono::steady_clock;
  const std::unique_ptr<optim::Optimizer<float>> optimizer = a.make_optimizer();
  Measured m{.n = int(std::min(std::size_t(a.batch), set.train->size()))};
  train::Step<float> step(*model.net, *optimizer, training::objective_of(a, set, model), m.n);
  std::vector<std::uint32_t> ids(std::size_t(m.n), 0);
  std::vector<std::int32_t> labels(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i)
    labels[i] = set.train->label(ids[i] = std::uint32_t(i));
  step.images() = batch_of(*set.train, ids);
  step.labels().upload(labels);
  const int replays = step.stage().plan().replays;
  std::vector<double> times;
  train::StagePasses before{};
  for (double sum = 0; times.size() < 3 || sum < seconds; sum += times.back()) {
    tools::check_stop();
    step.set({.draw = std::uint64_t(times.size()) << draw_bits_of_step, .lr = 1e-6});
    before = step.stage().passes();
    const auto begin = clock::now();
    for (int r = 0; r < replays; ++r) step.run({.replay = r, .replays = replays, .n = m.n});
    times.push_back(std::chrono::duration<double>(clock::now() - begin).count());
  }
  std::sort(times.begin() + 1, times.end());  // the first one warms up
  m.steps = times.size() - 1;
  m.seconds = times[1 + m.steps / 2];
  const auto after = step.stage().passes();
  m.passes = {after.student - before.student, after.attacks - before.attacks,
              after.others - before.others};
  for (const auto& [name, count] : step.stage().bytes()) m.bytes[name] = count;
  return m;
}

Json passes_of(const Measured& m) {
  const auto each = [&](long count) { return double(count) / m.n; };
  return {{"student_forwards", each(m.passes.student.forwards)},
          {"student_backwards", each(m.passes.student.backwards)},
          {"attack_forwards", each(m.passes.attacks.forwards)},
          {"attack_backwards", each(m.passes.attacks.backwards)},
          {"teacher_forwards", each(m.passes.others.forwards)}};
}

}  // namespace

void measure_time(const Run& run, double seconds, Images& images, tools::Display& display) {
  const Json of{{"options", run.program.app.options()},
                {"threads", host::threads()},
                {"instruction_set", tools::arithmetic()}};
  if (paper::is_measured(run.folder / "time.json", of)) return;
  const training::Arguments& a = run.program.a;
  display.phase(run.row.name + ", time of a step");
  const tools::DataSet& set = images.of(a.data, true);
  training::Model model = training::make_model(a, set, display);
  const Measured m = measured_steps(a, set, model, seconds);
  const auto macs = [](const NetworkBase<float>& net) {
    return double(cost::table(net.graph()).total().macs);
  };
  const bool taught = !run.row.teacher.empty();
  const double epoch = m.seconds * double(training::batches_per_epoch(a, set)),
               total = epoch * a.epochs / 60;
  Json time = of;
  const fs::path of_teacher = fs::path(a.teacher).parent_path() / "time.json";
  if (!taught)
    time["with_teacher_minutes"] = total;
  else if (is_there(of_teacher))  // not of one that was trained elsewhere
    time["with_teacher_minutes"] = total + read_json(of_teacher).value("total_minutes", 0.0);
  const double predicted =
      predicted_macs(m.passes, m.n, macs(*model.net), taught ? macs(*model.teacher.net) : 0);
  time.update({{"step_seconds", m.seconds},
               {"steps", m.steps},
               {"epoch_seconds", epoch},
               {"total_minutes", total},
               {"passes", passes_of(m)},
               {"predicted_macs", predicted},
               {"bytes", m.bytes}});
  io::write_file(run.folder / "time.json", tools::text_of(time));
  display.done();
}

}  // namespace rrm
