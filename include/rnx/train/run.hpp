// One training run, batch by batch: what a step needs, where the run is, what is saved and resumed.
#pragma once

#include <chrono>
#include <set>

#include "rnx/train/state.hpp"
#include "rnx/train/scheduled_values.hpp"

namespace rnx::inline RNX_ISA::train {

/// One run: everything a step needs and everything a resume restores. fit() drives it; a program
/// with a loop of its own may, too.
template <class Device> class Run {
 public:
  using States = std::vector<optim::State<float>>;

  using Steppers = std::vector<Stepper<float, Device>>;

  /// `more`: further state that is part of the run (what callbacks change); asked at a resume and
  /// at each checkpoint.
  Run(NetworkBase<float, Device>& net, const data::Source& source,
      AnyObjective<float, Device> objective, Steppers steppers, const FitOptions& o,
      std::function<States()> more = {})
      : net_(net),
        source_(source),
        o_(o),
        more_(std::move(more)),
        batch_(int(std::min<std::size_t>(std::size_t(check(net, source, o)), source.size()))),
        per_epoch_(long((source.size() + batch_ - 1) / batch_)),
        step_(net, std::move(steppers), std::move(objective), batch_),
        values_(step_, o_),
        labelled_(data::has_labels(source)) {
    if (step_.stage().plan().labels && !labelled_) data::require_labels(source, "fit");
    check_passes();
    progress_.epochs = o.epochs;
    progress_.steps_in_epoch = per_epoch_;
    progress_.total = per_epoch_ * o.epochs;
    begin();
  }

  bool finished() const { return progress_.done >= progress_.total; }
  const Progress& progress() const { return progress_; }
  Step<float, Device>& step() { return step_; }

  /// Trains on the next batch. Errors: NumericError when a loss is not finite (the step that showed
  /// it has been taken).
  void advance() {
    Moment m = moment(progress_.done);
    if (m.step == 0) {
      means_.clear();
      step_.begin_epoch(m);
    }
    const auto begin = clock::now();
    const data::Batch& b = loader_->next();
    m.n = b.n;
    m.ids = b.ids;
    for (std::size_t k = 0; k < b.views.size(); ++k) step_.images(k).upload(b.views[k]);
    if (labelled_) step_.labels().upload(b.labels);
    for (m.replay = 0; m.replay < m.replays; ++m.replay) {
      values_.set(m, o_.seed);
      step_.run(m);
    }
    count(b);
    busy_ += seconds_since(begin);
    trained_ += b.n;
    tell();
    if (progress_.epoch_end) step_.end_epoch(m);
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
                        .means = means_,
                        .best = best_,
                        .scored = !unscored_,
                        .rates = values_.checksum()};
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

  /// Of the batch that comes behind `done` ones.
  Moment moment(long done) const {
    return {.epoch = int(done / per_epoch_),
            .epochs = o_.epochs,
            .step = done % per_epoch_,
            .steps = per_epoch_,
            .done = done,
            .total = progress_.total,
            .replays = step_.stage().plan().replays};
  }
  /// Adds the last step's values to the epoch's means.
  void count(const data::Batch& b) {
    const auto& stage = step_.stage();
    means_.loss += stage.objective_value() * b.n;
    means_.samples += std::size_t(b.n);
    for (const NamedValue& v : stage.values()) means_.add(v, std::size_t(b.n));
    if (!labelled_) return;
    const auto z = stage.counted();
    const int classes = net_.classes();
    for (int i = 0; i < z.n; ++i)
      means_.right += argmax(z.logits.data() + i * classes, classes) == b.labels[z.first + i];
    means_.counted += std::size_t(z.n);
  }
  /// What callbacks are told after a batch.
  void tell() {
    Progress& p = progress_;
    p.epoch = int(p.done / per_epoch_);
    p.step = ++p.done - p.epoch * per_epoch_;
    p.epoch_end = p.step == per_epoch_;
    p.scores = {};
    p.lr = values_.lr();
    means_.tell(p);
    p.waited = loader_->waited();
    p.images_per_second = double(trained_) / std::max(busy_, 1e-9);
    p.remaining = (double(p.total - p.done) * batch_) / std::max(p.images_per_second, 1e-9);
    const bool due =
        p.epoch_end && (p.done == p.total || (p.epoch + 1) % std::max(1, o_.evaluate_every) == 0);
    unscored_ = due && o_.evaluate;
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
    if (finished()) return;
    std::vector<data::Augment> views{o_.augment};
    for (const auto& v : step_.stage().plan().views)
      if (v.augment) views.push_back(*v.augment);
    loader_.emplace(source_,
                    data::LoaderOptions{.batch = batch_,
                                        .seed = o_.seed,
                                        .views = std::move(views),
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
    return o.batch;
  }
  /// Every pass in train mode must have enough samples in every batch.
  void check_passes() const {
    for (const auto& p : step_.stage().plan().passes)
      if (p.options.mode == Mode::train)
        for (const int n : {batch_, int(source_.size() % std::size_t(batch_))})
          if (const int samples = p.options.rows.count(n); samples > 0)
            p.net->check_batch_statistics(samples, "fit: the last batch of an epoch");
  }
  States states() {
    States list = step_.state();
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
    std::string optimizers;
    for (const auto& s : step_.steppers())
      optimizers += (optimizers.empty() ? "" : "; ") +
                    (s.name.empty() ? std::string() : s.name + ": ") + s.optimizer.describe() +
                    stepper_text(s);
    return {{"objective", step_.stage().plan().describe() + teachers_text()},
            {"batch", std::to_string(batch_)},
            {"seed", std::to_string(o_.seed)},
            {"augment", o_.augment.describe()},
            {"optimizer", optimizers},
            {"images", std::to_string(source_.size())},
            {"data", source_.fingerprint()}};
  }
  /// What the other networks compute with.
  std::string teachers_text() const {
    std::string text;
    for (const auto& p : step_.stage().plan().passes) {
      if (p.of_student()) continue;
      const auto add = [](Checksum& sum, const float* from, std::size_t count) {
        const std::vector<float> values = detail::on_host<float, Device>(from, count);
        sum.add(values.data(), values.size() * sizeof(float));
      };
      Checksum sum;
      add(sum, p.net->parameters(), p.net->parameter_storage());
      add(sum, p.net->buffers(), p.net->buffer_storage());
      text += "; network of " + p.name + " " + sum.text();
    }
    return text;
  }
  static std::string stepper_text(const Stepper<float, Device>& s) {
    std::string text = s.takes.describe();
    if (s.during.begin != 0 || s.during.end != 1)
      text += " during " + exact_text(s.during.begin) + " to " + exact_text(s.during.end);
    return text;
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
    means_ = at.means;
    best_ = at.best;
    values_.skip(moment(0), p.done);
    require<UsageError>(at.rates == 0 || at.rates == values_.checksum(), [&] {
      return "fit: the stored run has had other rates in its " + std::to_string(p.done) +
             " batches than this schedule gives for " + std::to_string(p.total);
    });
    p.epoch_end = p.step == per_epoch_;
    if (means_.samples) means_.tell(p);
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
  FitOptions o_;
  std::function<States()> more_;
  Facts facts_;
  int batch_;
  long per_epoch_;
  Step<float, Device> step_;
  ScheduledValues<Device> values_;
  bool labelled_;
  std::optional<data::Loader> loader_;
  long saved_ = -1;
  Progress progress_{};
  Scores best_{};
  EpochMeans means_{};
  double busy_ = 0;
  std::size_t trained_ = 0;
  clock::time_point begin_ = clock::now(), last_save_ = begin_;
  bool was_saved_ = false, unscored_ = false;
};

}  // namespace rnx::inline RNX_ISA::train
