// Clean and attacked accuracy. Success is computed again by a fresh forward on the final image; norm and range are verified first.
#pragma once

#include "rnx/attack.hpp"
#include "rnx/data.hpp"

namespace rnx::inline RNX_ISA::eval {

/// One row per sample. `attacked`: the prediction on the final adversarial image (of the restart that fooled the model, if one did).
struct Sample {
  int label = 0, clean = 0, attacked = 0;
  bool robust = false;  ///< right on the clean image and on every attacked one
};
struct Accuracy {
  std::vector<Sample> samples;
  double clean() const { return share([](const Sample& s) { return s.clean == s.label; }); }
  double robust() const { return share([](const Sample& s) { return s.robust; }); }

 private:
  template <class F> double share(F f) const {
    std::size_t k = 0;
    for (const Sample& s : samples) k += f(s);
    return samples.empty() ? 0 : double(k) / samples.size();
  }
};

struct Options {
  int batch = 250;
  int tile = 16;      ///< samples per pass of an attack: activations stay in cache
  int path = 0;       ///< batch-norm path
  int restarts = 1;
  std::uint64_t seed = 0;
};

/// The class of the largest logit, the first one where several are equal.
template <class T>
int argmax(const T* row, int classes) {
  int best = 0;
  for (int c = 1; c < classes; ++c) if (row[c] > row[best]) best = c;
  return best;
}

/// Predictions of `images`, and under `attack` when it is not null (a callable like attack::Pgd; copied per restart with its own draw).
/// Errors: NumericError (logits or images that are not finite, an image outside its ball).
template <class T, class Device, class Attack = attack::Pgd<>>
Accuracy accuracy(const NetworkBase<T, Device>& net, const data::Images& images, const Options& o, const Attack* attack = nullptr) {
  require<ShapeError>(images.dims == net.input_dims(), [&] { return "eval: the network takes " + net.input_dims().text() + ", the images are " + images.dims.text(); });
  require<UsageError>(images.classes <= net.classes(), [&] { return "eval: the data set has " + std::to_string(images.classes) + " classes, the network " + std::to_string(net.classes()); });
  require<UsageError>(o.batch > 0 && o.restarts > 0, "eval: batch and restarts must be positive");
  const int batch = std::min(o.batch, std::max(images.n, 1)), classes = net.classes();
  Trace<T, Device> trace = net.make_trace({.use = Use::infer, .capacity = batch});
  attack::Workspace<T, Device> work(net, batch, o.tile);
  Tensor<T, Device> clean(batch, images.dims), adversarial(batch, images.dims);
  loss::Labels<Device> labels(batch, classes);
  const Context ctx{.mode = Mode::eval, .path = o.path};

  Accuracy result;
  result.samples.resize(images.n);
  std::vector<T> host(batch * images.dims.count());
  std::vector<std::int32_t> y(batch);
  std::vector<std::uint32_t> ids(batch);
  const auto predict = [&](View<const T, Device> x, auto&& each) {
    const std::vector<T> z = to_host(net.forward(trace, x, ctx));
    for (int i = 0; i < x.n; ++i) {
      for (int c = 0; c < classes; ++c)
        require<NumericError>(std::isfinite(z[i * classes + c]), "eval: the network's logits are not finite");
      each(i, argmax(z.data() + i * classes, classes));
    }
  };
  for (int first = 0; first < images.n; first += batch) {
    const int n = std::min(batch, images.n - first);
    ids.resize(n), y.resize(n), host.resize(n * images.dims.count());
    for (int i = 0; i < n; ++i) ids[i] = std::uint32_t(first + i);
    data::make_batch(images, ids, nullptr, 0, 0, host.data(), y.data());
    labels.upload(y);
    clean.upload(host);
    const View<const T, Device> x = std::as_const(clean).view().samples(0, n);
    predict(x, [&](int i, int c) { result.samples[first + i] = {y[i], c, c, c == y[i]}; });
    if (!attack) continue;
    for (int r = 0; r < o.restarts; ++r) {
      const View<T, Device> a = adversarial.view().samples(0, n);
      Context with = ctx;
      with.first_sample = std::uint64_t(first);
      Attack seeded = *attack;
      seeded.seed = o.seed;
      seeded(net, work, x, a, loss::CrossEntropy{.labels = labels.data()}, with, std::uint64_t(r) << 32);
      const std::vector<T> moved = to_host(View<const T, Device>(a));
      attack::verify<typename Attack::norm, T>(host, moved, n, attack->eps);
      predict(a, [&](int i, int c) {
        Sample& s = result.samples[first + i];
        if (s.robust || r == 0) s.attacked = c;
        s.robust = s.robust && c == s.label;
      });
    }
  }
  return result;
}

}  // namespace rnx::inline RNX_ISA::eval
