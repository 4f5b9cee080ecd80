// Clean and attacked accuracy. Success is computed again by a fresh forward on the final image;
// norm and range are verified first.
#pragma once

#include <algorithm>
#include <concepts>
#include <functional>
#include <limits>

#include "rnx/attack.hpp"
#include "rnx/core/argmax.hpp"
#include "rnx/data/loader.hpp"
#include "rnx/eval/interval.hpp"

namespace rnx::inline RNX_ISA::eval {

/// One row per sample. `attacked`: the prediction on the final adversarial image (of the restart
/// that fooled the model, if one did).
struct Sample {
  int label = 0, clean = 0, attacked = 0;
  bool robust = false;  ///< right on the clean image and on every attacked one
};
/// A clean image and its last adversarial one (of the restart that fooled the model, if one did),
/// (h, w, c) in [0, 1].
struct Pair {
  std::vector<float> clean, adversarial;
};
struct Accuracy {
  std::vector<Sample> samples;
  /// of the samples in the data set's files (Source::origin); empty: as they are numbered here
  std::vector<std::size_t> origins{};
  std::vector<Pair> examples{};  ///< of the first samples, Options::examples of them
  /// (n, classes) of the clean images, where Options::keep_logits asked for them
  std::vector<float> logits{};
  long forwards = 0,
       backwards = 0;  ///< passes per sample that the attack took, its verification included
  std::size_t origin(std::size_t sample) const {
    return origins.empty() ? sample : origins.at(sample);
  }
  /// NaN where a sample has no label (data::no_label): predictions and logits are there, but no
  /// accuracy.
  double clean() const {
    return share([](const Sample& s) { return s.clean == s.label; });
  }
  double robust() const {
    return share([](const Sample& s) { return s.robust; });
  }

 private:
  template <class F> double share(F f) const {
    std::size_t k = 0;
    for (const Sample& s : samples) {
      if (s.label == data::no_label) return std::numeric_limits<double>::quiet_NaN();
      k += f(s);
    }
    return samples.empty() ? 0 : double(k) / samples.size();
  }
};

/// Right on the clean images, and on the attacked ones too, with the interval of each.
inline Proportion clean_proportion(const Accuracy& a) {
  Proportion p{0, long(a.samples.size())};
  for (const Sample& s : a.samples) p.right += s.clean == s.label;
  return p;
}
inline Proportion robust_proportion(const Accuracy& a) {
  Proportion p{0, long(a.samples.size())};
  for (const Sample& s : a.samples) p.right += s.robust;
  return p;
}

struct Options {
  int batch = 250;
  int tile = 0;  ///< samples per pass of an attack (0: what suits the network and the cache)
  int path = 0;  ///< batch-norm path
  int restarts = 1;
  std::uint64_t seed = 0;    ///< added to the attack's own: random starts are keyed by the sum
  std::vector<Keep> keep{};  ///< activations that the attack's loss reads
  int examples = 0;          ///< how many pairs of images are kept
  bool keep_logits = false;
  /// told after each batch; what it throws ends the evaluation
  std::function<void(std::size_t done, std::size_t of)> progress{};
  /// when it becomes true (a signal), accuracy() throws Stopped within a step of an attack
  const std::atomic<bool>* stop = nullptr;
};

namespace detail {

template <class T, class Device>
void check(const NetworkBase<T, Device>& net, const data::Source& source, const Options& o,
           bool attacked) {
  require<ShapeError>(source.dims() == net.input_dims(), [&] {
    return "eval: the network takes " + net.input_dims().text() + ", the images are " +
           source.dims().text();
  });
  require<UsageError>(source.classes() <= net.classes(), [&] {
    return "eval: the data set has " + std::to_string(source.classes()) + " classes, the network " +
           std::to_string(net.classes());
  });
  if (attacked) data::require_labels(source, "eval: an attack");
  require<UsageError>(o.batch > 0 && o.restarts > 0, "eval: batch and restarts must be positive");
  require<UsageError>(o.tile >= 0 && o.examples >= 0,
                      "eval: tile and examples must not be negative");
}

/// One call of accuracy(): its memory, and what it has found so far.
template <class T, class Device, class Attack, class MakeLoss> class Evaluation {
 public:
  /// attack: null for clean images alone
  Evaluation(const NetworkBase<T, Device>& net, const data::Source& source, const Attack* attack,
             const MakeLoss& make_loss, const Options& o)
      : net_(net),
        source_(source),
        o_(o),
        attack_(attack),
        make_loss_(make_loss),
        dims_(source.dims()),
        total_(int(source.size())),
        batch_(std::min(o.batch, std::max(total_, 1))),
        classes_(net.classes()),
        trace_(net.make_trace({.use = Use::infer, .capacity = batch_, .eval_only = true})),
        work_(net, batch_, o.tile, o.keep),
        clean_(batch_, dims_),
        adversarial_(batch_, dims_),
        labels_(batch_, classes_),
        ctx_{.mode = Mode::eval, .path = o.path, .stop = o.stop} {
    require<UsageError>(!attack || has_seed || o.seed == 0, [&] {
      return "eval: this attack has no seed, but the options' is " + std::to_string(o.seed);
    });
  }

  Accuracy run() {
    result_.samples.resize(total_);
    for (int i = 0; i < total_; ++i) result_.origins.push_back(source_.origin(std::uint32_t(i)));
    result_.examples.resize(std::min(o_.examples, total_));
    if (total_ == 0) return std::move(result_);
    data::Loader loader(source_, {.batch = batch_, .views = {data::Augment{}}, .shuffle = false});
    for (int first = 0; first < total_; first += batch_) {
      const data::Batch& b = loader.next();
      const std::vector<T> images(b.views[0].begin(), b.views[0].end());
      classify(images, b.labels, first);
      for (int r = 0; attack_ && r < o_.restarts; ++r) attack(images, r, first);
      if (o_.progress) o_.progress(first + count(first), total_);
    }
    if (attack_) {
      result_.backwards = long(attack_->passes()) * o_.restarts;
      result_.forwards = result_.backwards + o_.restarts;
    }
    return std::move(result_);
  }

 private:
  static constexpr bool has_seed = requires(Attack a) { a.seed = std::uint64_t(); };

  /// How many samples the batch has that begins at `first`.
  int count(int first) const { return std::min(batch_, total_ - first); }
  std::vector<float> image(const std::vector<T>& images, int i) const {
    return {images.begin() + i * dims_.count(), images.begin() + (i + 1) * dims_.count()};
  }
  /// each(i, predicted class, logits) for every sample of x.
  template <class F> void predict(View<const T, Device> x, F&& each) {
    const std::vector<T> z = to_host(net_.forward(trace_, x, ctx_));
    for (int i = 0; i < x.n; ++i) {
      const T* row = z.data() + i * classes_;
      for (int c = 0; c < classes_; ++c)
        require<NumericError>(std::isfinite(row[c]), "eval: the network's logits are not finite");
      each(i, argmax(row, classes_), row);
    }
  }
  void classify(const std::vector<T>& images, const std::vector<std::int32_t>& labels, int first) {
    for (int i = 0; i < count(first) && std::size_t(first + i) < result_.examples.size(); ++i)
      result_.examples[first + i] = {.clean = image(images, i), .adversarial = image(images, i)};
    const bool known = std::find(labels.begin(), labels.end(), data::no_label) == labels.end();
    if (known) labels_.upload(labels);
    clean_.upload(images);
    predict(std::as_const(clean_).view().samples(0, count(first)), [&](int i, int c, const T* z) {
      result_.samples[first + i] = {
          .label = labels[i], .clean = c, .attacked = c, .robust = c == labels[i]};
      if (o_.keep_logits) result_.logits.insert(result_.logits.end(), z, z + classes_);
    });
  }
  /// One restart of the attack on the batch that was classified last.
  void attack(const std::vector<T>& images, int restart, int first) {
    const View<const T, Device> x = std::as_const(clean_).view().samples(0, count(first));
    const View<T, Device> a = adversarial_.view().samples(0, count(first));
    Context ctx = ctx_;
    ctx.first_sample = std::uint64_t(first);
    Attack seeded = *attack_;
    if constexpr (has_seed) seeded.seed += o_.seed;
    seeded(net_, work_, x, a, make_loss_(labels_.data()), ctx,
           std::uint64_t(restart) << draw_bits_of_restart);
    const std::vector<T> moved = to_host(View<const T, Device>(a));
    attack::verify<typename Attack::norm, T>(images, moved, count(first), attack_->eps);
    predict(a, [&](int i, int c, const T*) {
      Sample& s = result_.samples[first + i];
      if ((s.robust || restart == 0) && std::size_t(first + i) < result_.examples.size())
        result_.examples[first + i].adversarial = image(moved, i);
      if (s.robust || restart == 0) s.attacked = c;
      s.robust = s.robust && c == s.label;
    });
  }

  const NetworkBase<T, Device>& net_;
  const data::Source& source_;
  const Options& o_;
  const Attack* attack_;
  const MakeLoss& make_loss_;
  Dims dims_;
  int total_, batch_, classes_;
  Trace<T, Device> trace_;
  attack::Workspace<T, Device> work_;
  Tensor<T, Device> clean_, adversarial_;
  loss::Labels<Device> labels_;
  Context ctx_;
  Accuracy result_;
};

/// A data set as accuracy() reads it.
inline const data::Source& source_of(const data::Source& source) { return source; }
inline data::Memory source_of(const data::Images& images) { return data::Memory(images); }

template <class T, class Device, class Set, class Attack, class MakeLoss>
Accuracy evaluate(const NetworkBase<T, Device>& net, const Set& set, const Attack* attack,
                  const MakeLoss& make_loss, const Options& o) {
  const auto& source = source_of(set);
  check(net, source, o, attack != nullptr);
  return Evaluation<T, Device, Attack, MakeLoss>(net, source, attack, make_loss, o).run();
}

}  // namespace detail

/// The loss that attacks climb unless another one is named: cross-entropy.
struct ByCrossEntropy {
  loss::CrossEntropy operator()(const std::int32_t* labels) const { return {.labels = labels}; }
};

/// Predictions of a data set's samples (data::Images, or a data::Source) in their order.
/// Errors: UsageError (options), ShapeError (images of another shape), NumericError (logits that
/// are not finite), Stopped (Options::stop).
template <class T, class Device, class Set>
Accuracy accuracy(const NetworkBase<T, Device>& net, const Set& set, const Options& o = {}) {
  const attack::Pgd<>* none = nullptr;
  return detail::evaluate(net, set, none, ByCrossEntropy{}, o);
}
/// The same, and under an attack: a callable like attack::Pgd with norm, eps and passes(), called
/// for each restart with another draw; its own radius, step and starts hold, as in training. An
/// attack without a member `seed` takes no Options::seed.
/// Errors: UsageError for samples without labels, NumericError for images that are not finite or
/// leave their ball, too.
template <class T, class Device, class Set, class Attack>
Accuracy accuracy(const NetworkBase<T, Device>& net, const Set& set, const Attack& attack,
                  const Options& o = {}) requires(!std::is_same_v<Attack, Options>) {
  return detail::evaluate(net, set, &attack, ByCrossEntropy{}, o);
}
/// The same with another loss: make_loss(labels) returns the per-sample loss (loss/call.hpp) that
/// the attack climbs; labels: device memory, one for each sample of a batch.
///   eval::accuracy(net, set, pgd, [](const std::int32_t* y) { return Margin{y}; }, {.batch = 100})
template <class T, class Device, class Set, class Attack, class MakeLoss>
Accuracy accuracy(const NetworkBase<T, Device>& net, const Set& set, const Attack& attack,
                  const MakeLoss& make_loss, const Options& o = {}) requires
    std::invocable<const MakeLoss&, const std::int32_t*> {
  return detail::evaluate(net, set, &attack, make_loss, o);
}

}  // namespace rnx::inline RNX_ISA::eval
