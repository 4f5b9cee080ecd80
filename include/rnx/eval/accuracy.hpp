// Clean and attacked accuracy. Success is computed again by a fresh forward on the final image;
// norm and range are verified first.
#pragma once

#include <functional>

#include "rnx/attack.hpp"
#include "rnx/data/loader.hpp"

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
  double clean() const {
    return share([](const Sample& s) { return s.clean == s.label; });
  }
  double robust() const {
    return share([](const Sample& s) { return s.robust; });
  }

 private:
  template <class F> double share(F f) const {
    std::size_t k = 0;
    for (const Sample& s : samples) k += f(s);
    return samples.empty() ? 0 : double(k) / samples.size();
  }
};

struct Options {
  int batch = 250;
  int tile = 0;  ///< samples per pass of an attack (0: what suits the network and the cache)
  int path = 0;  ///< batch-norm path
  int restarts = 1;
  std::uint64_t seed = 0;  ///< added to the attack's own: random starts are keyed by the sum
  int examples = 0;        ///< how many pairs of images are kept
  bool keep_logits = false;
  /// told after each batch; what it throws ends the evaluation
  std::function<void(std::size_t done, std::size_t of)> progress{};
  /// when it becomes true (a signal), accuracy() throws Stopped within a step of an attack
  const std::atomic<bool>* stop = nullptr;
};

/// The class of the largest logit: the first one where several are equal, the first NaN where there
/// is one, as in PyTorch.
template <class T> int argmax(const T* row, int classes) {
  int best = 0;
  for (int c = 1; c < classes; ++c)
    if (row[best] == row[best] && !(row[c] <= row[best])) best = c;
  return best;
}

/// Predictions of a source's samples in its order, and under `attack` when it is not null: a
/// callable like attack::Pgd with norm, eps and passes(), called for each restart with another
/// draw; its own radius, step and starts hold, as in training. An attack without a member `seed`
/// takes no Options::seed.
/// Errors: UsageError (options), ShapeError (images of another shape), NumericError (logits or
/// images that are not finite, an image outside its ball), Stopped (Options::stop).
template <class T, class Device, class Attack = attack::Pgd<>>
Accuracy accuracy(const NetworkBase<T, Device>& net, const data::Source& source, const Options& o,
                  const Attack* attack = nullptr) {
  const Dims dims = source.dims();
  const int total = int(source.size());
  require<ShapeError>(dims == net.input_dims(), [&] {
    return "eval: the network takes " + net.input_dims().text() + ", the images are " + dims.text();
  });
  require<UsageError>(source.classes() <= net.classes(), [&] {
    return "eval: the data set has " + std::to_string(source.classes()) + " classes, the network " +
           std::to_string(net.classes());
  });
  require<UsageError>(o.batch > 0 && o.restarts > 0, "eval: batch and restarts must be positive");
  require<UsageError>(o.tile >= 0 && o.examples >= 0,
                      "eval: tile and examples must not be negative");
  constexpr bool has_seed = requires(Attack a) { a.seed = o.seed; };
  require<UsageError>(!attack || has_seed || o.seed == 0, [&] {
    return "eval: this attack has no seed, but the options' is " + std::to_string(o.seed);
  });
  const int batch = std::min(o.batch, std::max(total, 1)), classes = net.classes();
  Trace<T, Device> trace =
      net.make_trace({.use = Use::infer, .capacity = batch, .eval_only = true});
  attack::Workspace<T, Device> work(net, batch, o.tile);
  Tensor<T, Device> clean(batch, dims), adversarial(batch, dims);
  loss::Labels<Device> labels(batch, classes);
  const Context ctx{.mode = Mode::eval, .path = o.path, .stop = o.stop};

  Accuracy result;
  result.samples.resize(total);
  for (int i = 0; i < total; ++i) result.origins.push_back(source.origin(std::uint32_t(i)));
  result.examples.resize(std::min(o.examples, total));
  if (total == 0) return result;
  data::Loader loader(source, {.batch = batch, .augment = std::nullopt, .shuffle = false});
  const auto predict = [&](View<const T, Device> x, auto&& each) {
    const std::vector<T> z = to_host(net.forward(trace, x, ctx));
    for (int i = 0; i < x.n; ++i) {
      for (int c = 0; c < classes; ++c)
        require<NumericError>(std::isfinite(z[i * classes + c]),
                              "eval: the network's logits are not finite");
      each(i, argmax(z.data() + i * classes, classes), z.data() + i * classes);
    }
  };
  for (int first = 0; first < total; first += batch) {
    const int n = std::min(batch, total - first);
    const data::Batch& b = loader.next();
    const std::vector<std::int32_t>& y = b.labels;
    const std::vector<T> host(b.pixels.begin(), b.pixels.end());
    const auto image = [&](const std::vector<T>& of, int i) {
      return std::vector<float>(of.begin() + i * dims.count(), of.begin() + (i + 1) * dims.count());
    };
    for (int i = 0; i < n && std::size_t(first + i) < result.examples.size(); ++i)
      result.examples[first + i].clean = result.examples[first + i].adversarial = image(host, i);
    labels.upload(y);
    clean.upload(host);
    const View<const T, Device> x = std::as_const(clean).view().samples(0, n);
    predict(x, [&](int i, int c, const T* z) {
      result.samples[first + i] = {y[i], c, c, c == y[i]};
      if (o.keep_logits) result.logits.insert(result.logits.end(), z, z + classes);
    });
    for (int r = 0; attack && r < o.restarts; ++r) {
      const View<T, Device> a = adversarial.view().samples(0, n);
      Context with = ctx;
      with.first_sample = std::uint64_t(first);
      Attack seeded = *attack;
      if constexpr (has_seed) seeded.seed += o.seed;
      seeded(net, work, x, a, loss::CrossEntropy{.labels = labels.data()}, with,
             std::uint64_t(r) << 32);
      const std::vector<T> moved = to_host(View<const T, Device>(a));
      attack::verify<typename Attack::norm, T>(host, moved, n, attack->eps);
      predict(a, [&](int i, int c, const T*) {
        Sample& s = result.samples[first + i];
        if ((s.robust || r == 0) && std::size_t(first + i) < result.examples.size())
          result.examples[first + i].adversarial = image(moved, i);
        if (s.robust || r == 0) s.attacked = c;
        s.robust = s.robust && c == s.label;
      });
    }
    if (o.progress) o.progress(first + n, total);
  }
  if (attack) {
    result.backwards = long(attack->passes()) * o.restarts;
    result.forwards = result.backwards + o.restarts;
  }
  return result;
}
template <class T, class Device, class Attack = attack::Pgd<>>
Accuracy accuracy(const NetworkBase<T, Device>& net, const data::Images& images, const Options& o,
                  const Attack* attack = nullptr) {
  return accuracy(net, data::Memory(images), o, attack);
}

}  // namespace rnx::inline RNX_ISA::eval
