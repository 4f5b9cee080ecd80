// How an evaluation runs: batch by batch, each attack and restart on the same clean images.
#pragma once

#include <algorithm>
#include <optional>
#include <span>

#include "rnx/core/argmax.hpp"
#include "rnx/data/loader.hpp"
#include "rnx/eval/options.hpp"

namespace rnx::inline RNX_ISA::eval {

namespace detail {

template <class T, class Device>
void check(const attack::VictimRef<T, Device>& victim, const data::Source& source, const Options& o,
           bool attacked) {
  require<ShapeError>(source.dims() == victim.input_dims(), [&] {
    return "eval: the network takes " + victim.input_dims().text() + ", the images are " +
           source.dims().text();
  });
  require<UsageError>(source.classes() <= victim.classes(), [&] {
    return "eval: the data set has " + std::to_string(source.classes()) + " classes, the network " +
           std::to_string(victim.classes());
  });
  if (attacked) data::require_labels(source, "eval: an attack");
  require<UsageError>(o.batch > 0 && o.restarts > 0, "eval: batch and restarts must be positive");
  require<UsageError>(o.tile >= 0 && o.examples >= 0,
                      "eval: tile and examples must not be negative");
}

/// One evaluation: its memory, and what it has found so far under each of its attacks.
/// V: the type of the victim that attacks see.
template <class T, class Device, class V, class Attack, class MakeLoss> class Evaluation {
 public:
  /// attacks: none for clean images alone
  Evaluation(const V& victim, const data::Source& source, std::span<const Attack> attacks,
             const MakeLoss& make_loss, const Options& o)
      : victim_(victim),
        outputs_(attack::VictimRef<T, Device>(victim).outputs()),
        source_(source),
        o_(o),
        attacks_(attacks),
        make_loss_(make_loss),
        dims_(source.dims()),
        total_(int(source.size())),
        batch_(std::min(o.batch, std::max(total_, 1))),
        classes_(attack::VictimRef<T, Device>(victim).classes()),
        predictor_(victim, batch_),
        clean_(batch_, dims_),
        labels_(batch_, classes_),
        results_(std::max<std::size_t>(attacks.size(), 1)) {
    require<UsageError>(attacks.empty() || has_seed || o.seed == 0, [&] {
      return "eval: this attack has no seed, but the options' is " + std::to_string(o.seed);
    });
    if (attacks_.empty()) return;
    work_.emplace(victim, batch_, o.tile, o.keep);
    adversarial_ = Tensor<T, Device>(batch_, dims_);
  }

  /// One result for each attack, or that of clean images.
  std::vector<Accuracy> run() {
    Accuracy& first_result = results_[0];
    first_result.samples.resize(total_);
    for (int i = 0; i < total_; ++i)
      first_result.origins.push_back(source_.origin(std::uint32_t(i)));
    first_result.examples.resize(std::min(o_.examples, total_));
    std::fill(results_.begin() + 1, results_.end(), first_result);
    if (total_ == 0) return std::move(results_);
    data::Loader loader(source_, {.batch = batch_, .views = {data::Augment{}}, .shuffle = false});
    for (int first = 0; first < total_; first += batch_) {
      const data::Batch& b = loader.next();
      const std::vector<T> images(b.views[0].begin(), b.views[0].end());
      classify(images, b.labels, first);
      for (std::size_t a = 0; a < attacks_.size(); ++a)
        for (int r = 0; r < o_.restarts; ++r) attack(a, images, r, first);
      if (o_.progress) o_.progress(first + count(first), total_);
    }
    return std::move(results_);
  }

 private:
  static constexpr bool has_seed = requires(Attack a) { a.seed = std::uint64_t(); };

  /// How many samples the batch has that begins at `first`.
  int count(int first) const { return std::min(batch_, total_ - first); }
  std::vector<float> image(const std::vector<T>& images, int i) const {
    return {images.begin() + i * dims_.count(), images.begin() + (i + 1) * dims_.count()};
  }
  Context context(int first) const {
    return {.mode = Mode::eval,
            .path = o_.path,
            .subnet = o_.subnet,
            .first_sample = o_.first_sample + std::uint64_t(first),
            .stop = o_.stop};
  }
  /// each(i, predicted class, logits of the first output) for every sample of x. Of several outputs
  /// the class is one that is not the label, where there is one.
  template <class F>
  void predict(View<const T, Device> x, std::span<const std::int32_t> labels, int first, F&& each) {
    std::vector<T> logits;
    std::vector<int> found(std::size_t(x.n));
    for (int k = 0; k < outputs_; ++k) {
      const std::vector<T> z = to_host(predictor_(x, context(first), k));
      for (int i = 0; i < x.n; ++i) {
        const T* row = z.data() + i * classes_;
        for (int c = 0; c < classes_; ++c)
          require<NumericError>(std::isfinite(row[c]), "eval: the network's logits are not finite");
        if (k == 0 || found[i] == labels[i]) found[i] = argmax(row, classes_);
      }
      if (k == 0) logits = z;
    }
    for (int i = 0; i < x.n; ++i) each(i, found[i], logits.data() + i * classes_);
  }
  void classify(const std::vector<T>& images, const std::vector<std::int32_t>& labels, int first) {
    const bool known = std::find(labels.begin(), labels.end(), data::no_label) == labels.end();
    if (known) labels_.upload(labels);
    host_labels_ = labels;
    clean_.upload(images);
    const Passes before = predictor_.passes();
    const auto x = std::as_const(clean_).view().samples(0, count(first));
    predict(x, labels, first, [&](int i, int c, const T* z) {
      for (Accuracy& result : results_) {
        const std::size_t at = std::size_t(first + i);
        result.samples[at] = {
            .label = labels[i], .clean = c, .attacked = c, .robust = c == labels[i]};
        if (at < result.examples.size())
          result.examples[at] = {.clean = image(images, i), .adversarial = image(images, i)};
        if (o_.keep_logits) result.logits.insert(result.logits.end(), z, z + classes_);
      }
    });
    for (Accuracy& result : results_) result.predicting += predictor_.passes() - before;
  }
  /// One restart of an attack on the batch that was classified last.
  void attack(std::size_t which, const std::vector<T>& images, int restart, int first) {
    Accuracy& result = results_[which];
    const View<const T, Device> x = std::as_const(clean_).view().samples(0, count(first));
    const View<T, Device> a = adversarial_.view().samples(0, count(first));
    Context ctx = context(first);
    ctx.path = o_.attack_path.value_or(o_.path);
    ctx.subnet = o_.attack_subnet.value_or(o_.subnet);
    Attack seeded = attacks_[which];
    if constexpr (has_seed) seeded.seed += o_.seed;
    std::vector<int> fallen(std::size_t(count(first)));  // to which member of a sequence
    listen(seeded, fallen, result.members);
    const Passes worked = work_->passes(), predicted = predictor_.passes();
    seeded(victim_, *work_, x, a, make_loss_(labels_.data()), ctx,
           std::uint64_t(restart) << draw_bits_of_restart);
    const std::vector<T> moved = verified<typename Attack::norm>(images, a, seeded.eps, result);
    predict(a, host_labels_, first, [&](int i, int c, const T*) {
      Sample& s = result.samples[first + i];
      if (o_.keep_adversarials && (s.robust || restart == 0)) keep(result, moved, i, first);
      if ((s.robust || restart == 0) && std::size_t(first + i) < result.examples.size())
        result.examples[first + i].adversarial = image(moved, i);
      if (s.robust || restart == 0) s.attacked = c;
      // on the lattice an image may fool that no member counted: the last one has it
      if (s.robust && c != s.label)
        s.member = fallen[std::size_t(i)] ? fallen[std::size_t(i)] : int(result.members.size());
      s.robust = s.robust && c == s.label;
    });
    result.attacking += work_->passes() - worked;
    result.verifying += predictor_.passes() - predicted;
  }

  /// Where the attack is a sequence, notes for each sample of a batch the member that it falls to,
  /// and the members' names.
  static void listen(Attack& attack, std::vector<int>& fallen, std::vector<std::string>& names) {
    if constexpr (requires { attack.progress = attack::SequenceProgress(); })
      attack.progress = [&fallen, &names, told = std::move(attack.progress), member = 0](
                            std::string_view name, int stood,
                            std::span<const std::int32_t> fell) mutable {
        if (std::size_t(++member) > names.size()) names.emplace_back(name);
        for (const std::int32_t row : fell) fallen[std::size_t(row)] = member;
        if (told) told(name, stood, fell);
      };
  }

  /// The attack's images, on the lattice where they are wanted there, once more checked.
  template <class Norm>
  std::vector<T> verified(const std::vector<T>& images, View<T, Device> a, double eps,
                          Accuracy& result) {
    std::vector<T> moved = to_host(View<const T, Device>(a));
    attack::verify<Norm, T>(images, moved, a.n, eps);
    const std::size_t size = std::size_t(dims_.count());
    const auto clean = [&](int i) { return std::span(images).subspan(i * size, size); };
    if (o_.lattice == Lattice::project) {
      for (int i = 0; i < a.n; ++i)
        project_to_lattice<T>(Norm::kind, eps, clean(i), std::span(moved).subspan(i * size, size));
      attack::verify<Norm, T>(images, moved, a.n, eps);
      memory<Device>::upload(a.data, moved.data(), moved.size() * sizeof(T), {});
    }
    for (int i = 0; i < a.n; ++i)
      result.audit.add<T>(clean(i), std::span(std::as_const(moved)).subspan(i * size, size));
    return moved;
  }
  void keep(Accuracy& result, const std::vector<T>& moved, int i, int first) const {
    result.adversarials.resize(std::size_t(total_) * dims_.count());
    const std::vector<float> one = image(moved, i);
    std::copy(one.begin(), one.end(),
              result.adversarials.begin() + long(first + i) * dims_.count());
  }

  const V& victim_;
  int outputs_;
  const data::Source& source_;
  const Options& o_;
  std::span<const Attack> attacks_;
  const MakeLoss& make_loss_;
  Dims dims_;
  int total_, batch_, classes_;
  attack::Predictor<T, Device> predictor_;
  std::optional<attack::Workspace<T, Device>> work_;
  Tensor<T, Device> clean_, adversarial_;
  std::vector<std::int32_t> host_labels_;
  loss::Labels<Device> labels_;
  std::vector<Accuracy> results_;
};

/// A data set as accuracy() reads it.
inline const data::Source& source_of(const data::Source& source) { return source; }
inline data::Memory source_of(const data::Images& images) { return data::Memory(images); }

/// A victim as attacks see it: whatever it is, one of three types.
template <class T, class Device>
const NetworkBase<T, Device>& victim_of(const NetworkBase<T, Device>& net) {
  return net;
}
template <class T, class Device>
const attack::Victim<T, Device>& victim_of(const attack::Victim<T, Device>& victim) {
  return victim;
}
template <class T, class Device>
const attack::WhiteBox<T, Device>& victim_of(const attack::WhiteBox<T, Device>& box) {
  return box;
}

template <class T, class Device, class V, class Set, class Attack, class MakeLoss>
std::vector<Accuracy> evaluate(const attack::VictimRef<T, Device>& ref, const V& victim,
                               const Set& set, std::span<const Attack> attacks,
                               const MakeLoss& make_loss, const Options& o) {
  using Loss = std::decay_t<std::invoke_result_t<const MakeLoss&, const std::int32_t*>>;
  const auto& source = source_of(set);
  check(ref, source, o, !attacks.empty());
  if constexpr (attack::expect_attack<Attack, T, Device, Loss, V>())
    return Evaluation<T, Device, V, Attack, MakeLoss>(victim, source, attacks, make_loss, o).run();
  else
    return {};
}

}  // namespace detail

}  // namespace rnx::inline RNX_ISA::eval
