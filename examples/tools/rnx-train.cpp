// rnx-train: trains a model of the registry, naturally or adversarially, into a run directory that
// can be resumed.
#include <filesystem>

#include <unistd.h>

#include "evaluation.hpp"
#include "run_directory.hpp"

namespace {

using namespace rnx;
using Json = nlohmann::ordered_json;

struct Arguments {
  std::string model = "resnet20", out = "run", objective = "natural", attack_mode, norm = "linf",
              eps = "8/255", attack_step, schedule = "onecycle", resume = "auto", progress = "auto",
              device = "cpu", init, teacher, teacher_model;
  std::vector<double> milestones{0.5, 0.75};
  tools::DataOptions data;
  int epochs = 4, batch = 128, attack_steps = 0, replays = 8, holdout = 0, eval_n = 2000,
      eval_pgd_n = 500, eval_every = 1, final_n = 0, final_pgd_n = 1000, threads = 0,
      loader_threads = 1, keep = 2;
  double lr = 0.2, weight_decay = 5e-4, momentum = 0.9, warm = 0.4, gamma = 0.1, beta = 6,
         label_smoothing = 0, save_every = 600, alpha = -1, temperature = 30, lambda = 5e-3;
  long save_every_steps = 0;
  std::uint64_t seed = 0;
  bool augment = true, nesterov = false, dry_run = false, skip_head = false;

  // what the objective decides where the user did not
  std::string step() const {
    return !attack_step.empty()     ? attack_step
           : objective == "fgsm-rs" ? "10/255"
                                    : tools::default_step(norm, eps);
  }
  int steps() const {
    return attack_steps                                                          ? attack_steps
           : objective == "trades" || objective == "rslad" || objective == "ard" ? 10
                                                                                 : 7;
  }
  /// Whether a teacher is needed.
  bool taught() const {
    return objective == "kd" || objective == "ard" || objective == "rslad" || objective == "rrm";
  }
  /// RSLAD's share of the adversarial term, KD's and ARD's of the teacher's.
  double share() const { return alpha >= 0 ? alpha : objective == "rslad" ? 5. / 6 : 1; }
  Mode mode() const {
    return (attack_mode.empty() ? objective == "fgsm-rs" : attack_mode == "train") ? Mode::train
                                                                                   : Mode::eval;
  }

  void check() const {
    tools::require_known(
        "--objective", objective,
        {"natural", "pgd", "fgsm-rs", "free", "trades", "kd", "ard", "rslad", "rrm"});
    tools::require_known("--schedule", schedule, {"onecycle", "cosine", "multistep", "constant"});
    tools::require_known("--progress", progress, {"auto", "bar", "plain", "json", "off"});
    tools::require_known("--norm", norm, {norm::Linf::name, norm::L2::name});
    if (!attack_mode.empty()) tools::require_known("--attack-mode", attack_mode, {"eval", "train"});
    require(device == "cpu", [&] {
      return "--device: '" + device + "' is not in this program; it was built for cpu";
    });
    require(objective == "pgd" || norm == norm::Linf::name,
            [&] { return "--norm: " + objective + " training is for linf"; });
    require(init.empty() ? !skip_head : true, "--init-skip-head: it goes with --init");
    require(taught() == !teacher.empty(), [&] {
      return taught() ? "--teacher: " + objective + " training needs the weights of a teacher"
                      : "--teacher: " + objective + " training takes none";
    });
    require(teacher_model.empty() || taught(), "--teacher-model: it goes with --teacher");
    require(label_smoothing == 0 || !taught(),
            [&] { return "--label-smoothing: " + objective + " training takes none"; });
  }
  /// Errors: UsageError (radius or step outside their range).
  void check_attack() const {
    const Rational e = Rational::parse(eps, "--eps"), s = Rational::parse(step(), "--attack-step");
    if (norm == norm::L2::name)
      attack::check_radius<norm::L2>(e, s);
    else
      attack::check_radius<norm::Linf>(e, s);
  }
  std::function<optim::Rates(long, long)> rates() const {
    return [*this](long step, long total) -> optim::Rates {
      if (schedule == "cosine") return optim::Cosine{.base = lr}(step, total);
      if (schedule == "multistep")
        return optim::MultiStep{.base = lr, .milestones = milestones, .gamma = gamma}(step, total);
      if (schedule == "constant" || total < 5)
        return optim::Constant{lr}(step, total);  // too few steps for the two phases of a cycle
      return optim::OneCycle{
          .max = lr, .warm = warm, .linear = true, .cycle_momentum = momentum > 0}(step, total);
    };
  }
  /// All that the bits of the result depend on.
  /// init_checksum: of the weights to start from, or "".
  Json configuration(const tools::DataSet& set, std::size_t n_train,
                     const std::string& init_checksum, const tools::LoadedTeacher& by) const {
    Json c{{"model", model},
           {"dataset", set.name},
           {"fingerprint", set.train->fingerprint()},
           {"n_train", n_train},
           {"holdout", holdout},
           {"objective", objective},
           {"epochs", epochs},
           {"batch", batch},
           {"lr", lr},
           {"schedule", schedule},
           {"momentum", momentum},
           {"nesterov", nesterov},
           {"weight_decay", weight_decay},
           {"label_smoothing", label_smoothing},
           {"seed", seed}};
    if (!init_checksum.empty()) c["init"] = {{"checksum", init_checksum}, {"skip_head", skip_head}};
    if (taught()) c["teacher"] = {{"model", by.model}, {"checksum", by.checksum}};
    if (objective == "kd" || objective == "ard") c["temperature"] = temperature;
    if (objective == "rrm")
      c["lambda"] = lambda;
    else if (taught())
      c["alpha"] = share();
    if (schedule == "onecycle") c["warm"] = warm;
    if (schedule == "multistep") {
      c["milestones"] = milestones;
      c["gamma"] = gamma;
    }
    if (augment)
      c["augment"] = {
          {"pad", set.augment.pad}, {"crop", set.augment.crop}, {"flip", set.augment.flip}};
    else
      c["augment"] = nullptr;
    const bool attacks = objective != "natural" && objective != "kd" && objective != "rrm";
    if (attacks) c["eps"] = eps;
    if (objective == "pgd") c["norm"] = norm;
    if (objective == "pgd" || objective == "fgsm-rs")
      c["attack_mode"] = mode() == Mode::eval ? "eval" : "train";
    if (attacks && objective != "free") c["attack_step"] = step();
    if (attacks && objective != "free" && objective != "fgsm-rs") c["attack_steps"] = steps();
    if (objective == "trades") c["beta"] = beta;
    if (objective == "free") c["replays"] = replays;
    c["selection"] = {{"split", holdout ? "held out" : "test"},
                      {"clean_n", eval_n},
                      {"pgd_n", eval_pgd_n},
                      {"every", eval_every},
                      {"fingerprint", (holdout ? *set.train : *set.test).fingerprint()}};
    return c;
  }
};

void print_layers(const NetworkBase<float>& net) {
  const cost::Table table = cost::table(net.graph());
  fmt::print("{:<32} {:<14} {:>14} {:>12} {:>14} {:>12} {:>10} {:>12}\n", "layer", "operation",
             "output", "parameters", "MACs", "GBOPs", "ReLUs", "bytes");
  const auto row = [](const cost::Row& r, const std::string& out) {
    fmt::print("{:<32} {:<14} {:>14} {:>12} {:>14} {:>12.4f} {:>10} {:>12}\n", r.path, r.operation,
               out, r.parameters, r.macs, r.bops * 1e-9, r.relus,
               4 * (r.parameters + r.activations));
  };
  for (const cost::Row& r : table.rows) row(r, fmt::format("{}x{}x{}", r.out.c, r.out.h, r.out.w));
  cost::Row total = table.total();
  total.path = "total";
  row(total, "");
}

/// The callback that people see.
class Display {
 public:
  explicit Display(const std::string& how)
      : how_(how == "auto" ? (::isatty(1) ? "bar" : "plain") : how) {}
  void operator()(const train::Progress& p) {
    if (how_ == "off" || (!p.epoch_end && p.seconds - shown_ < (how_ == "bar" ? 0.2 : 10))) return;
    shown_ = p.seconds;
    if (how_ == "json")
      tools::print_line(stdout, train::progress_json(p).dump());
    else if (how_ == "plain")
      tools::print_line(stdout, train::progress_line(p));
    else if (std::fputs(
                 ("\r\033[K" + train::progress_line(p, 24) + (p.epoch_end ? "\n" : "")).c_str(),
                 stdout) >= 0)
      std::fflush(stdout);
  }
  bool quiet() const { return how_ == "json" || how_ == "off"; }

 private:
  std::string how_;
  double shown_ = 0;
};

/// The objective of that name.
train::AnyObjective<float> objective_of(const Arguments& a, const tools::LoadedTeacher& by) {
  const Rational eps = Rational::parse(a.eps, "--eps"),
                 step = Rational::parse(a.step(), "--attack-step");
  const double smoothing = a.label_smoothing;
  const auto pgd = [&]<class N>(N) {
    attack::check_radius<N>(eps, step);
    return train::Adversarial<attack::Pgd<N>>{
        .attack = {.eps = eps, .step = step, .steps = a.steps()},
        .mode = a.mode(),
        .smoothing = smoothing};
  };
  if (a.objective == "natural") return train::Natural{.smoothing = smoothing};
  if (a.objective == "pgd" && a.norm == norm::L2::name) return pgd(norm::L2{});
  if (a.objective == "pgd") return pgd(norm::Linf{});
  attack::check_radius<norm::Linf>(eps, step);
  if (a.objective == "fgsm-rs")
    return train::Adversarial<attack::Fgsm<>>{
        .attack = {.eps = eps, .start = attack::Start::random, .step = step},
        .mode = a.mode(),
        .smoothing = smoothing};
  if (a.objective == "free") return train::Free{.eps = eps, .m = a.replays, .smoothing = smoothing};
  const attack::Pgd<> nearby{
      .eps = eps, .step = step, .steps = a.steps(), .start = attack::Start::gaussian};
  if (a.objective == "trades")
    return train::Trades<>{.attack = nearby, .beta = a.beta, .smoothing = smoothing};
  const NetworkBase<float>& teacher = *by.net;
  if (a.objective == "rslad")
    return train::Rslad{.teacher = teacher, .attack = nearby, .adversarial = a.share()};
  if (a.objective == "ard")
    return train::Ard{.teacher = teacher,
                      .attack = {.eps = eps, .step = step, .steps = a.steps()},
                      .alpha = a.share(),
                      .temperature = a.temperature};
  if (a.objective == "rrm") return train::Rrm<>{.teacher = teacher, .lambda = a.lambda};
  return train::Kd{.teacher = teacher, .alpha = a.share(), .temperature = a.temperature};
}

/// What is printed for people; `display` may be quiet.
template <class... Ts>
void say(const Display& display, fmt::format_string<Ts...> format, Ts&&... values) {
  if (!display.quiet()) tools::print_line(stdout, fmt::format(format, std::forward<Ts>(values)...));
}

/// The attacks between epochs and at the end.
constexpr const char *pgd10 = "pgd:steps=10", *pgd20 = "pgd:steps=20";
tools::AttackText attack(const Arguments& a, const std::string& text) {
  return tools::AttackText::parse(text, a.norm, a.eps);
}

/// Refuses a test split that a network for the training split could not be evaluated with. Errors:
/// FileError.
void require_fit(Dims train, int train_classes, Dims test, int test_classes) {
  require<FileError>(test == train, [&] {
    return fmt::format("--data: the training images are {}, the test images {}", train.text(),
                       test.text());
  });
  require<FileError>(test_classes <= train_classes, [&] {
    return fmt::format("--data: the training images have {} classes, the test images {}",
                       train_classes, test_classes);
  });
}

/// Refuses what can be refused before images are decoded. Errors: UsageError, FileError.
void check_before_data(const Arguments& a) {
  a.check();
  a.check_attack();
  for (const char* text : {pgd10, pgd20}) attack(a, text);
  optim::Sgd<float>(
      {.momentum = a.momentum, .nesterov = a.nesterov, .weight_decay = a.weight_decay});
  const tools::DataFacts facts = tools::describe_data(a.data, true, true);
  tools::require_model(a.model, *facts.train);
  require_fit(facts.train->dims, facts.train->classes, facts.test->dims, facts.test->classes);
  if (!a.init.empty()) io::SafetensorsFile::read(a.init);
  if (!a.teacher.empty()) io::SafetensorsFile::read(a.teacher);
  if (a.dry_run) return;
  tools::RunDirectory::require_place(a.out);
  tools::require_apart("--out", a.out, a.data.dir);
}

/// Refuses data that cannot be trained on and evaluated with. Errors: UsageError, FileError.
void check_data(const Arguments& a, const tools::DataSet& set) {
  require(std::size_t(a.holdout) < set.train->size(), [&] {
    return fmt::format("--holdout: {} of {} training images leave none to train on", a.holdout,
                       set.train->size());
  });
  require_fit(set.train->dims(), set.train->classes(), set.test->dims(), set.test->classes());
  require<FileError>(set.test->size() > 0, "--data: there are no test images");
}

/// Clean accuracy and PGD-20 on the test images, as a report in `out`. Prints the two.
void evaluate_at_end(const Arguments& a, const NetworkBase<float>& net, const tools::DataSet& set,
                     const Json& settings, const tools::RunDirectory& run, const Display& display) {
  const std::string weights = (run / "model.safetensors").string();
  const std::size_t n = set.test->size();
  const data::Part all_clean(*set.test, 0, a.final_n ? std::min<std::size_t>(a.final_n, n) : n),
      some(*set.test, 0, std::min<std::size_t>(a.final_pgd_n, n));
  say(display, "evaluation: clean on {} test images, PGD-20 on {}", all_clean.size(), some.size());
  report::Report report{
      .title = fmt::format("{} on {}, {} training", a.model, set.name, a.objective),
      .settings = settings,
      .class_names = set.test->class_names(),
      .models = {}};
  const eval::Options o{.seed = a.seed, .stop = &tools::stop_on_signals()};
  const eval::Proportion clean =
      eval::clean_proportion(tools::evaluate(net, all_clean, o, attack(a, "clean")));
  report.models.push_back(tools::model_report(net, a.objective, a.model, weights,
                                              some.size() ? some : all_clean,
                                              {attack(a, some.size() ? pgd20 : "clean")}, o));
  const eval::Interval interval = eval::wilson(clean.right, clean.n);
  report.models[0].details["clean_all"] = {{"right", clean.right},
                                           {"n", clean.n},
                                           {"accuracy", clean.value()},
                                           {"low", interval.low},
                                           {"high", interval.high}};
  report::write(run / "eval/final", report, [](const std::string& sentence) {
    tools::complain("rnx-train: report.json is written, but not this: " + sentence);
  });
  const eval::Proportion robust = eval::robust_proportion(report.models[0].attacks[0].accuracy);
  if (display.quiet() && a.progress == "json")
    tools::print_line(stdout, Json{{"clean_acc", clean.value()},
                                   {"clean_n", clean.n},
                                   {"pgd20_acc", robust.value()},
                                   {"pgd20_n", robust.n}}
                                  .dump());
  if (some.size())
    say(display, "clean {:.2f} % of {}, PGD-20 {:.2f} % of {}", 100 * clean.value(), clean.n,
        100 * robust.value(), robust.n);
  else
    say(display, "clean {:.2f} % of {}", 100 * clean.value(), clean.n);
  say(display, "weights: {}\nreport: {}/report.html", weights, (run / "eval/final").string());
}

/// Accuracy between epochs on the first images of `selection`.
std::function<train::Scores()> between_epochs(const Arguments& a, const NetworkBase<float>& net,
                                              const data::Source& selection) {
  if (a.eval_n == 0 && a.eval_pgd_n == 0) return {};
  return [&a, &net, &selection] {
    const data::Part for_clean(selection, 0, std::min<std::size_t>(a.eval_n, selection.size())),
        for_pgd(selection, 0, std::min<std::size_t>(a.eval_pgd_n, selection.size()));
    train::Scores scores;
    const eval::Options o{.seed = a.seed, .stop = &tools::stop_on_signals()};
    if (for_clean.size()) scores.clean = eval::accuracy(net, for_clean, o).clean();
    if (for_pgd.size()) scores.pgd = tools::evaluate(net, for_pgd, o, attack(a, pgd10)).robust();
    return scores;
  };
}

/// Trains into the run directory and evaluates; the exit code.
int train_into(const Arguments& a, const tools::App& app, NetworkBase<float>& net,
               const tools::LoadedTeacher& by, const tools::DataSet& set, const Json& facts,
               const Json& configuration, Display& display) {
  const std::size_t n_train = set.train->size() - a.holdout;
  const data::Part training(*set.train, 0, n_train), held_out(*set.train, n_train, a.holdout);
  const long batches = long((n_train + a.batch - 1) / a.batch);
  a.rates()(0, batches * a.epochs * (a.objective == "free" ? a.replays : 1));
  optim::Sgd<float> sgd(
      {.momentum = a.momentum, .nesterov = a.nesterov, .weight_decay = a.weight_decay});
  tools::work_begins("this step");
  tools::RunDirectory run(a.out, a.resume, a.keep, configuration, facts, app.arguments());
  const long done = run.done();
  if (done) say(display, "resuming after {} of {} batches", done, batches * a.epochs);
  train::JsonLines log(run / "log.jsonl", done);
  train::CsvTable table(run / "metrics.csv", int(done / batches));
  train::FitOptions options{.epochs = a.epochs,
                            .batch = a.batch,
                            .seed = a.seed,
                            .augment = a.augment ? set.augment.operations() : data::Augment{},
                            .schedule = a.rates(),
                            .loader_threads = a.loader_threads};
  options.evaluate =
      between_epochs(a, net, a.holdout ? static_cast<const data::Source&>(held_out) : *set.test);
  options.evaluate_every = a.eval_every;
  train::CheckpointStore<> store(run.checkpoints(), configuration);
  options.saving = {
      .store = &store,
      .every = a.save_every,
      .every_steps = a.save_every_steps,
      .failed = [](const std::string& sentence) { tools::complain("rnx-train: " + sentence); }};
  options.stop = &tools::stop_on_signals();
  say(display, "training: {}, {} epochs of {} batches, {}, {} threads, into {}", a.objective,
      a.epochs, batches, instruction_set(), host::threads(), a.out);
  const auto keep_folder = [&run](const train::Progress&) { run.restore_if_deleted(); };
  const train::Outcome outcome = train::fit(net, training, objective_of(a, by), sgd, options,
                                            keep_folder, log, table, display);
  if (!outcome.finished) {
    tools::complain(fmt::format(
        "rnx-train: stopped by a signal after {} of {} batches; --resume auto continues",
        outcome.last.done, outcome.last.total));
    return tools::stopped;
  }

  io::Metadata metadata = tools::class_metadata(set.train->class_names());
  metadata.insert(
      {{"rnx.model", a.model}, {"rnx.dataset", set.name}, {"rnx.objective", a.objective}});
  io::save_model(run / "model.safetensors", net, metadata);
  Json settings = configuration;
  settings["instruction_set"] = instruction_set();
  settings["command"] = fmt::format("rnx-train {}", fmt::join(app.arguments(), " "));
  evaluate_at_end(a, net, set, settings, run, display);
  return 0;
}

int train_model(const Arguments& a, const tools::App& app) {
  tools::stop_on_signals();
  check_before_data(a);
  if (a.threads) host::set_threads(a.threads);
  Display display(a.progress);
  const tools::DataSet set = tools::open_data(a.data, true, true);
  for (const std::string& s : set.skipped) tools::complain("rnx-train: skipped " + s);
  for (const std::string& note : set.notes) tools::complain("rnx-train: " + note);
  check_data(a, set);
  const std::size_t n_train = set.train->size() - a.holdout;
  say(display, "data: {}, {} training and {} test images of {}", set.name, n_train,
      set.test->size(), set.train->dims().text());
  AnyNetwork<float> net = tools::make_model(a.model, *set.train, a.seed, set.statistics);
  const std::string init =
      a.init.empty() ? "" : tools::start_from(a.init, a.skip_head, a.model, *net);
  const tools::LoadedTeacher by = a.taught()
                                      ? tools::load_teacher(a.teacher, a.teacher_model, *set.train)
                                      : tools::LoadedTeacher{};
  if (a.taught()) say(display, "teacher: {}, {}", by.model, a.teacher);
  const cost::Row total = cost::table(net->graph()).total();
  say(display, "model: {}, {} parameters, {} MACs, {} ReLUs", a.model, net->parameter_count(),
      total.macs, total.relus);
  if (a.dry_run) return print_layers(*net), 0;
  Json facts{{"parameters", net->parameter_count()},
             {"macs", total.macs},
             {"relus", total.relus},
             {"data", a.data.dir},
             {"normalisation", {{"mean", set.statistics.mean}, {"std", set.statistics.std}}}};
  if (!a.init.empty()) {
    facts["init"] = a.init;
    facts.erase("normalisation");  // the weights bring theirs
  }
  try {
    return train_into(a, app, *net, by, set, facts, a.configuration(set, n_train, init, by),
                      display);
  } catch (const NumericError& e) {
    throw UsageError(std::string(e.what()) + "; a smaller --lr may train");
  }
}

/// Model, data and objective.
void add_subject(Arguments& a, CLI::App& cli) {
  cli.add_option("--model", a.model,
                 fmt::format("one of {}", fmt::join(models::Registry<>::instance().names(), ", ")));
  a.data.add_to(cli);
  tools::add_whole(cli, "--n-train", a.data.n_train, {}, "first N training images (0: all)");
  tools::add_whole(cli, "--n-test", a.data.n_test, {}, "first N test images (0: all)");
  tools::add_whole(cli, "--holdout", a.holdout, {},
                   "the last N training images choose BEST-* instead of being trained on (0: the "
                   "test images choose)");
  cli.add_option("--objective", a.objective,
                 "natural | pgd | fgsm-rs | free | trades; from a teacher: kd | ard | rslad | rrm");
  cli.add_option("--teacher", a.teacher, "weights of the teacher (a safetensors file)");
  cli.add_option("--teacher-model", a.teacher_model, "its model, where the file does not say it");
  tools::add_real(cli, "--alpha", a.alpha, {.most = 1},
                  "kd, ard: share of the teacher's term (1); rslad: of the adversarial one (5/6)")
      ->default_str("by the objective");
  tools::add_real(cli, "--temperature", a.temperature, {.with_least = false},
                  "kd, ard: of both softmaxes");
  tools::add_real(cli, "--lambda", a.lambda, {}, "rrm: weight of the cross-entropy");
  cli.add_option(
      "--init", a.init,
      "weights to start from (a safetensors file): a new run, with their input normalisation");
  cli.add_flag("--init-skip-head,!--no-init-skip-head", a.skip_head,
               "the last layer starts anew: weights of another number of classes");
}

/// Epochs, rates and the optimizer.
void add_training(Arguments& a, CLI::App& cli) {
  tools::add_whole(cli, "--epochs", a.epochs, {.least = 1, .most = 1000000});
  tools::add_whole(cli, "--batch", a.batch, {.least = 1});
  tools::add_real(cli, "--lr", a.lr, {}, "maximum of onecycle, start of the others");
  cli.add_option("--schedule", a.schedule, "onecycle | cosine | multistep | constant");
  tools::add_real(cli, "--warm", a.warm, {.most = 1, .with_least = false, .with_most = false},
                  "onecycle: part of the steps that rise");
  const auto milestone = [&a](const std::vector<std::string>& texts) {
    a.milestones.clear();
    for (const std::string& text : texts)
      a.milestones.push_back(tools::real("--milestones", text, {.most = 1}));
  };
  cli.add_option_function<std::vector<std::string>>("--milestones", milestone,
                                                    "multistep: parts of the run, like 0.5,0.75")
      ->delimiter(',')
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->type_name("NUMBER ...")
      ->default_str("0.5,0.75");
  tools::add_real(cli, "--gamma", a.gamma, {.with_least = false},
                  "multistep: factor at each milestone");
  tools::add_real(cli, "--momentum", a.momentum, {.most = 1, .with_most = false},
                  "SGD's momentum; onecycle moves it between 0.85 and 0.95");
  cli.add_flag("--nesterov,!--no-nesterov", a.nesterov, "Nesterov's momentum");
  tools::add_real(cli, "--weight-decay", a.weight_decay, {});
  tools::add_real(cli, "--label-smoothing", a.label_smoothing, {.most = 1, .with_most = false});
  cli.add_flag("--augment,!--no-augment", a.augment,
               "random crop and flip, as the data set wants them (synthetic: none)");
}

/// The attack that an objective trains with.
void add_attack(Arguments& a, CLI::App& cli) {
  cli.add_option("--norm", a.norm, "linf | l2, of the pgd objective");
  cli.add_option("--eps", a.eps, "radius, like 8/255");
  cli.add_option(
      "--attack-step", a.attack_step,
      "step of the training attack (linf: 2/255, fgsm-rs 10/255; l2: a fifth of the radius)");
  tools::add_whole(cli, "--attack-steps", a.attack_steps, {.most = 1000000},
                   "steps of the training attack (0: pgd 7, trades 10)");
  cli.add_option(
      "--attack-mode", a.attack_mode,
      "mode of the model under the training attack: eval | train (pgd: eval, fgsm-rs: train)");
  tools::add_real(cli, "--beta", a.beta, {}, "trades: weight of the divergence");
  tools::add_whole(cli, "--replays", a.replays, {.least = 1, .most = 1000},
                   "free: how often each batch is used");
}

/// The run: seed, folder, checkpoints, evaluations, machine.
void add_run(Arguments& a, CLI::App& cli) {
  tools::add_whole(cli, "--seed", a.seed, {});
  cli.add_option("--out", a.out, "run directory");
  cli.add_option("--resume", a.resume,
                 "auto | never | a checkpoint or run directory to continue in --out");
  tools::add_real(cli, "--save-every", a.save_every, {},
                  "seconds between checkpoints (one is written after each epoch, too)");
  tools::add_whole(cli, "--save-every-steps", a.save_every_steps, {},
                   "batches between checkpoints (0: by time alone)");
  tools::add_whole(cli, "--keep", a.keep, {.least = 1},
                   "how many of the newest checkpoints stay, beside the best ones");
  tools::add_whole(cli, "--eval-n", a.eval_n, {},
                   "images for clean accuracy between epochs (0: none)");
  tools::add_whole(cli, "--eval-pgd-n", a.eval_pgd_n, {},
                   "images for PGD-10 accuracy between epochs (0: none)");
  tools::add_whole(cli, "--eval-every", a.eval_every, {.least = 1}, "epochs between evaluations");
  tools::add_whole(cli, "--final-n", a.final_n, {},
                   "test images for clean accuracy at the end (0: all)");
  tools::add_whole(cli, "--final-pgd-n", a.final_pgd_n, {}, "test images for PGD-20 at the end");
  cli.add_option("--device", a.device, "cpu");
  tools::add_whole(cli, "--threads", a.threads, {.most = host::max_threads}, "0: all");
  tools::add_whole(cli, "--loader-threads", a.loader_threads,
                   {.least = 1, .most = host::max_threads}, "threads that prepare batches");
  cli.add_option("--progress", a.progress, "auto | bar | plain | json | off");
  cli.add_flag("--dry-run", a.dry_run, "prints the table of layers and ends");
}

void add_names(tools::App& app) {
  for (const char* theirs : {"--weights", "--pretrained", "--checkpoint", "--load", "--finetune"})
    app.synonym(theirs, "--init");
  app.preset("smoke", {{"dataset", "synthetic"},
                       {"n-train", "512"},
                       {"n-test", "200"},
                       {"epochs", "2"},
                       {"batch", "64"},
                       {"lr", "0.05"},
                       {"eval-n", "100"},
                       {"eval-pgd-n", "50"},
                       {"final-pgd-n", "100"}});
  app.preset("small", {{"dataset", "cifar10"}, {"epochs", "4"}});
  app.preset("paper",
             {{"dataset", "cifar10"}, {"epochs", "200"}, {"schedule", "multistep"}, {"lr", "0.1"}});
}

}  // namespace

int main(int argc, char** argv) {
  tools::App app(
      "rnx-train",
      "Trains a small robust image classifier into a run directory that can be resumed.");
  Arguments a;
  add_subject(a, app.cli);
  add_training(a, app.cli);
  add_attack(a, app.cli);
  add_run(a, app.cli);
  add_names(app);
  return app.run(argc, argv, [&] { return train_model(a, app); });
}
