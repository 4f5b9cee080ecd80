// One training run, batch by batch: what a step needs, where the run is, what is saved and resumed.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <set>

#include "rnx/data/loader.hpp"
#include "rnx/train/step.hpp"
#include "rnx/train/state.hpp"
#include "rnx/train/store.hpp"

namespace rnx::inline RNX_ISA::train {

/// Where and how often a run is saved. The run that `store` holds is continued: with the same
/// options it ends with the bits of a run that was never stopped.
struct Saving {
  AnyStore* store = nullptr;  ///< a Store of the network's device; null: nothing is saved
  double every = 600;         ///< seconds between checkpoints inside an epoch
  long every_steps = 0;       ///< batches between checkpoints (0: by time alone)
  /// told the sentence when a checkpoint could not be written: training goes on, the one before
  /// stays
  std::function<void(const std::string&)> failed{};
};

struct FitOptions {
  int epochs = 1, batch = 128;
  std::uint64_t seed = 0;
  std::optional<data::Augment> augment = data::Augment{};
  double label_smoothing = 0;
  /// rates of a step, of all steps of the run (replays count): optim::OneCycle{.max = 0.2}, or any
  /// other schedule (optim/schedule.hpp)
  std::function<optim::Rates(long step, long steps)> schedule{};
  /// threads that prepare batches ahead of training, at most host::max_threads
  int loader_threads = 1;
  /// called at the end of every `evaluate_every`-th epoch and of the last
  std::function<Scores()> evaluate{};
  int evaluate_every = 1;
  Saving saving{};
  /// when it becomes true (a signal), the step is finished, a checkpoint written, and fit
  /// returns
  const std::atomic<bool>* stop = nullptr;
};

struct Outcome {
  bool finished = true;  ///< false: stopped
  Progress last{};
};

/// One run: everything a step needs and everything a resume restores. fit() drives it; a program
/// with a loop of its own may, too.
template <class Device> class Run {
 public:
  using States = std::vector<optim::State<float>>;

  /// `more`: further state that is part of the run (what callbacks change); asked at a resume and
  /// at each checkpoint.
  template <class Objective>
  Run(NetworkBase<float, Device>& net, const data::Source& source, const Objective& objective,
      optim::Optimizer<float, Device>& optimizer, const FitOptions& o,
      std::function<States()> more = {})
      : Run(net, source, optimizer, o, std::move(more)) {
    step_ = std::make_unique<Step<float, Device, Objective>>(net, optimizer, objective, batch_,
                                                             o.label_smoothing);
    replays_ = objective.replays();
    if constexpr (requires { objective.describe(); }) description_ = objective.describe();
    values_.eps = -1;  // an attack whose objective does not write its radius is refused
    objective.set(values_);
    values_.seed = o.seed;
    begin();
  }

  bool finished() const { return progress_.done >= progress_.total; }
  const Progress& progress() const { return progress_; }

  /// Trains on the next batch. Errors: NumericError when a loss is not finite (the step that showed
  /// it has been taken).
  void advance() {
    if (progress_.done % per_epoch_ == 0) {
      loss_sum_ = 0;
      right_ = 0;
      progress_.samples = 0;
    }
    const auto begin = clock::now();
    const data::Batch& b = loader_->next();
    step_->images.upload(b.pixels);
    step_->labels.upload(b.labels);
    for (int r = 0; r < replays_; ++r) {
      const long index = progress_.done * replays_ + r;
      const optim::Rates rates = o_.schedule(index, progress_.total * replays_);
      optimizer_.apply(rates, values_);
      rates_ = with_rates(rates_, rates);
      values_.draw = std::uint64_t(index) << draw_bits_of_step;
      state_.set(values_);
      (*step_)(b.n, state_.get());
    }
    loss_sum_ += step_->values.mean(b.n) * b.n;
    require<StateError>(step_->logits().n == b.n, [&] {
      const std::string found = std::to_string(step_->logits().n), expected = std::to_string(b.n);
      return "fit: the objective's last forward in stage.trace must have the batch's " + expected +
             " samples, whose logits are counted; it had " + found;
    });
    const std::vector<float> z = to_host(step_->logits());
    const int classes = net_.classes();
    for (int i = 0; i < b.n; ++i) right_ += argmax(z.data() + i * classes, classes) == b.labels[i];
    busy_ += seconds_since(begin);
    trained_ += b.n;

    Progress& p = progress_;
    p.epoch = int(p.done / per_epoch_);
    p.step = ++p.done - p.epoch * per_epoch_;
    p.epoch_end = p.step == per_epoch_;
    p.scores = {};
    p.samples += b.n;
    p.lr = values_.lr;
    p.loss = loss_sum_ / double(p.samples);
    p.accuracy = double(right_) / double(p.samples);
    p.waited = loader_->waited();
    p.images_per_second = double(trained_) / std::max(busy_, 1e-9);
    p.remaining = (double(p.total - p.done) * batch_) / std::max(p.images_per_second, 1e-9);
    const bool due =
        p.epoch_end && (p.done == p.total || (p.epoch + 1) % std::max(1, o_.evaluate_every) == 0);
    unscored_ = due && o_.evaluate;
    score();
  }
  /// Whether an epoch has ended without its scores: the evaluation was stopped.
  bool unscored() const { return unscored_; }
  /// Its scores, then. What FitOptions::stop ends stays unscored.
  void score() {
    try {
      if (unscored_) progress_.scores = o_.evaluate();
      unscored_ = false;
    } catch (const Stopped&) {
      if (!stopping()) throw;
    }
    times();
  }
  /// Whether FitOptions::stop asks for an end.
  bool stopping() const { return o_.stop && o_.stop->load(); }

  /// Whether there is a store.
  bool saving() const { return store_ != nullptr; }
  /// Whether a checkpoint is due.
  bool due() const {
    const Saving& s = o_.saving;
    return saving() && saved_ != progress_.done &&
           (progress_.epoch_end || seconds_since(last_save_) >= s.every ||
            (s.every_steps > 0 && progress_.done % s.every_steps == 0));
  }
  /// Whether the checkpoint could be written. Otherwise Saving::failed has been told.
  bool save() {
    const Progress& p = progress_;
    std::vector<std::string> marks;
    const auto best = [&](const std::optional<double>& score, std::optional<double>& so_far,
                          const char* mark) {
      if (score && (!so_far || *score > *so_far)) {
        so_far = score;
        marks.push_back(mark);
      }
    };
    const Scores before = best_;
    best(p.scores.clean, best_.clean, "BEST-clean");
    best(p.scores.pgd, best_.pgd, "BEST-pgd");
    try {
      const Position at{.done = p.done,
                        .epoch = p.epoch,
                        .step = p.step,
                        .samples = p.samples,
                        .right = right_,
                        .loss_sum = loss_sum_,
                        .best = best_,
                        .scored = !unscored_,
                        .rates = rates_};
      store_->save(at, net_, states(), facts_, marks);
    } catch (const FileError& e) {
      best_ = before;
      last_save_ = clock::now();  // not at once again
      if (o_.saving.failed) o_.saving.failed(e.what());
      return false;
    }
    saved_ = p.done;
    last_save_ = clock::now();
    was_saved_ = true;
    times();
    return true;
  }
  bool saved() const { return saved_ == progress_.done; }

 private:
  using clock = std::chrono::steady_clock;

  Run(NetworkBase<float, Device>& net, const data::Source& source,
      optim::Optimizer<float, Device>& optimizer, const FitOptions& o, std::function<States()> more)
      : net_(net),
        source_(source),
        optimizer_(optimizer),
        o_(o),
        more_(std::move(more)),
        batch_(int(std::min<std::size_t>(std::size_t(check(net, source, o)), source.size()))),
        per_epoch_(long((source.size() + batch_ - 1) / batch_)) {
    progress_.epochs = o.epochs;
    progress_.steps_in_epoch = per_epoch_;
    progress_.total = per_epoch_ * o.epochs;
  }
  /// At the first batch, or where the store's run is.
  void begin() {
    if (o_.saving.store) {
      store_ = dynamic_cast<Store<Device>*>(o_.saving.store);
      require<UsageError>(store_ != nullptr, "fit: the store belongs to another device");
      facts_ = facts();
      if (const std::optional<Position> at = store_->position(facts_)) {
        stand(*at);  // refuses what does not fit before anything is changed
        store_->restore(net_, states());
      }
    }
    if (!finished())
      loader_.emplace(source_,
                      data::LoaderOptions{.batch = batch_,
                                          .seed = o_.seed,
                                          .augment = o_.augment,
                                          .threads = o_.loader_threads},
                      progress_.done / per_epoch_, progress_.done % per_epoch_);
  }
  static double seconds_since(clock::time_point t) {
    return std::chrono::duration<double>(clock::now() - t).count();
  }
  static int check(const NetworkBase<float, Device>& net, const data::Source& source,
                   const FitOptions& o) {
    require<UsageError>(o.epochs >= 0 && o.batch > 0 && source.size() > 0,
                        "fit: epochs, batch and the data set must not be empty");
    require<UsageError>(bool(o.schedule), "fit: a schedule is needed");
    require<UsageError>(o.evaluate_every > 0 && o.loader_threads > 0,
                        "fit: evaluate_every and loader_threads must be positive");
    require<UsageError>(o.saving.every >= 0 && o.saving.every_steps >= 0,
                        "fit: the distances between checkpoints must not be negative");
    host::check_threads("fit: expected loader_threads", o.loader_threads);
    require<ShapeError>(source.dims() == net.input_dims(), [&] {
      return "fit: the network takes " + net.input_dims().text() + ", the images are " +
             source.dims().text();
    });
    require<UsageError>(source.classes() <= net.classes(), [&] {
      return "fit: the data set has " + std::to_string(source.classes()) +
             " classes, the network " + std::to_string(net.classes());
    });
    const std::size_t last = source.size() % std::size_t(o.batch);
    net.check_batch_statistics(last ? int(last) : o.batch, "fit: the last batch of an epoch");
    return o.batch;
  }
  States states() {
    States list = optimizer_.state();
    for (optim::State<float> s : step_->objective_state()) {
      s.name = "objective." + s.name;
      list.push_back(s);
    }
    if (more_)
      for (optim::State<float> s : more_()) {
        s.name = "callback." + s.name;
        list.push_back(s);
      }
    std::set<std::string> names;
    for (const optim::State<float>& s : list)
      require<NameError>(names.insert(s.name).second, [&] {
        return "fit: two parts of the run's state are called '" + s.name + "'";
      });
    return list;
  }
  Facts facts() const {
    const auto augment = [&] {
      if (!o_.augment) return std::string("none");
      return "pad " + std::to_string(o_.augment->pad) + (o_.augment->crop ? " crop" : "") +
             (o_.augment->flip ? " flip" : "");
    };
    Facts f;
    if (description_) f.emplace_back("objective", *description_);
    f.insert(f.end(), {{"batch", std::to_string(batch_)},
                       {"seed", std::to_string(o_.seed)},
                       {"augment", augment()},
                       {"label smoothing", exact_text(o_.label_smoothing)},
                       {"optimizer", optimizer_.describe()},
                       {"replays", std::to_string(replays_)},
                       {"attack eps", exact_text(values_.eps)},
                       {"attack step", exact_text(values_.step)},
                       {"images", std::to_string(source_.size())},
                       {"data", source_.fingerprint()}});
    return f;
  }
  /// The checksum of rates, one step on.
  static std::uint64_t with_rates(std::uint64_t so_far, const optim::Rates& rates) {
    const double values[] = {rates.lr, rates.momentum.value_or(-1)};
    return io::checksum(values, sizeof values, so_far);
  }
  /// Takes up a stored run.
  void stand(const Position& at) {
    Progress& p = progress_;
    require<FileError>(at.done >= 0 && at.done <= p.total, [&] {
      return "fit: the stored run has done " + std::to_string(at.done) + " of " +
             std::to_string(p.total) + " batches";
    });
    p.done = at.done;
    p.epoch = at.epoch;
    p.step = at.step;
    p.samples = at.samples;
    right_ = at.right;
    loss_sum_ = at.loss_sum;
    best_ = at.best;
    const long steps = p.done * replays_, total = p.total * replays_;
    for (long k = 0; k < steps; ++k) rates_ = with_rates(rates_, o_.schedule(k, total));
    require<UsageError>(at.rates == 0 || at.rates == rates_, [&] {
      return "fit: the stored run has had other rates in its " + std::to_string(steps) +
             " steps than this schedule gives for " + std::to_string(total);
    });
    p.epoch_end = p.step == per_epoch_;
    if (p.samples) {
      p.loss = loss_sum_ / double(p.samples);
      p.accuracy = double(right_) / double(p.samples);
    }
    unscored_ = !at.scored && o_.evaluate;
    saved_ = unscored_ ? -1 : p.done;
  }
  void times() {
    progress_.seconds = seconds_since(begin_);
    progress_.checkpoint_age = was_saved_ ? seconds_since(last_save_) : -1;
  }

  NetworkBase<float, Device>& net_;
  Store<Device>* store_ = nullptr;
  const data::Source& source_;
  optim::Optimizer<float, Device>& optimizer_;
  FitOptions o_;
  std::function<States()> more_;
  Facts facts_;
  int batch_;
  long per_epoch_;
  int replays_ = 1;
  std::optional<std::string> description_;  ///< of the objective
  std::unique_ptr<AnyStep<float, Device>> step_;
  optim::StepState<Device> state_;
  StepValues values_{};
  std::optional<data::Loader> loader_;
  long saved_ = -1;
  Progress progress_{};
  Scores best_{};
  double loss_sum_ = 0, busy_ = 0;
  std::size_t right_ = 0, trained_ = 0;
  std::uint64_t rates_ = 0;
  clock::time_point begin_ = clock::now(), last_save_ = begin_;
  bool was_saved_ = false, unscored_ = false;
};

}  // namespace rnx::inline RNX_ISA::train
