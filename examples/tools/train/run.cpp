// Phase 3: training into the run directory.
#include <rnx/train/checkpoint.hpp>
#include <rnx/train/log.hpp>

#include <rnx/data/augmix.hpp>

#include "../run_json.hpp"
#include "phases.hpp"

namespace training {

using namespace rnx;

namespace {

/// Accuracy between epochs on the first images of `selection`.
std::function<train::Scores()> between_epochs(const Arguments& a, const NetworkBase<float>& net,
                                              const data::Source& selection,
                                              tools::Display& display) {
  if (a.eval_n == 0 && a.eval_pgd_n == 0) return {};
  return [&a, &net, &selection, &display] {
    const data::Part for_clean(selection, 0, std::min<std::size_t>(a.eval_n, selection.size())),
        for_pgd(selection, 0, std::min<std::size_t>(a.eval_pgd_n, selection.size()));
    train::Scores scores;
    eval::Options o{.seed = a.seed, .stop = &tools::stop_on_signals()};
    o.progress = display.counting("between epochs, clean");
    if (for_clean.size()) scores.clean = eval::accuracy(net, for_clean, o).clean();
    o.progress = display.counting("between epochs, PGD-10");
    o.path = a.robust_path();
    if (for_pgd.size()) scores.pgd = attack(a, pgd10).run(net, for_pgd, o).robust();
    display.done();
    return scores;
  };
}

/// The trained weights, with what a program that loads them wants to know.
void save_weights(const Arguments& a, const tools::DataSet& set, const NetworkBase<float>& net,
                  const tools::RunDirectory& run) {
  io::Metadata metadata = tools::class_metadata(set.train->class_names());
  metadata.insert(
      {{"rnx.model", a.model}, {"rnx.dataset", set.name}, {"rnx.objective", a.objective}});
  io::save_model(run / "model.safetensors", net, metadata);
}

}  // namespace

bool run_training(const Arguments& a, const tools::DataSet& set, Model& model,
                  const Json& configuration, tools::RunDirectory& run, tools::Display& display) {
  NetworkBase<float>& net = *model.net;
  const std::size_t n = training_size(a, set);
  const data::Part training(*set.train, 0, n), held_out(*set.train, n, a.holdout);
  const data::Source& selection =
      a.holdout ? static_cast<const data::Source&>(held_out) : *set.test;
  const long batches = batches_per_epoch(a, set), done = run.done();
  if (done) display.say(fmt::format("resuming after {} of {} batches", done, batches * a.epochs));
  const std::unique_ptr<optim::Optimizer<float>> optimizer = a.make_optimizer();
  train::JsonLines log(run / "log.jsonl", done);
  train::CsvTable table(run / "metrics.csv", int(done / batches));
  train::CheckpointStore<> store(run.checkpoints(), configuration);
  const train::FitOptions options{
      .epochs = a.epochs,
      .batch = a.batch,
      .seed = a.seed,
      .augment = a.augmix ? operations_of(a, set).add(data::AugMix{}) : operations_of(a, set),
      .schedule = a.rates(),
      .loader_threads = a.loader_threads,
      .evaluate = between_epochs(a, net, selection, display),
      .evaluate_every = a.eval_every,
      .saving = {.store = &store,
                 .every = a.save_every,
                 .every_steps = a.save_every_steps,
                 .failed = [](const std::string& s) { tools::complain("rnx-train: " + s); }},
      .stop = &tools::stop_on_signals()};
  display.say(fmt::format("training: {}, {} epochs of {} batches, {}, {} threads, into {}",
                          a.objective, a.epochs, batches, tools::arithmetic(), host::threads(),
                          a.out));
  const auto keep_folder = [&run](const train::Progress&) { run.restore_if_deleted(); };
  const train::Outcome outcome = train::fit(net, training, objective_of(a, set, model), *optimizer,
                                            options, keep_folder, log, table, display);
  if (outcome.finished)
    save_weights(a, set, net, run);
  else
    tools::complain(fmt::format(
        "rnx-train: stopped by a signal after {} of {} batches; --resume auto continues",
        outcome.last.done, outcome.last.total));
  return outcome.finished;
}

}  // namespace training
