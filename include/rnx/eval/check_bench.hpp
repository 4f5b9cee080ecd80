// What checks share: one batch of images, a victim's predictions and gradients of them, and its
// robustness under an attack.
#pragma once

#include <memory>
#include <optional>

#include "rnx/attack/auto_pgd.hpp"
#include "rnx/attack/square.hpp"
#include "rnx/core/argmax.hpp"
#include "rnx/core/rng.hpp"
#include "rnx/data/loader.hpp"
#include "rnx/eval/check.hpp"
#include "rnx/eval/lattice.hpp"

namespace rnx::inline RNX_ISA::eval::detail {

using Flags = std::vector<bool>;

/// A share of images, or the excess of one share over another on the same images.
struct Finding {
  double value = 0;
  Interval interval{};
  bool found = false;  ///< false: there was nothing to look at

  static Finding share(const Flags& of) {
    const Proportion p{std::count(of.begin(), of.end(), true), long(of.size())};
    return {p.value(), p.interval(), p.n > 0};
  }
  static Finding excess(const Flags& first, const Flags& second) {
    Paired p;
    for (std::size_t i = 0; i < first.size(); ++i) p.add(first[i], second[i]);
    return {p.difference(), p.interval(), p.n() > 0};
  }
};

/// Of a victim and the first images of a source. Norm: of the ball.
template <class Norm, class T, class Device> class Bench {
 public:
  using Ref = attack::WhiteBoxRef<T, Device>;
  using Images = View<const T, Device>;
  using Value = T;
  using Where = Device;

  Bench(const Ref& victim, const data::Source& source, const CheckOptions<T, Device>& o)
      : o(o),
        victim_(victim),
        n_(int(std::min<std::size_t>(std::size_t(o.images), source.size()))),
        dims_(source.dims()),
        clean_(n_, dims_),
        labels_(n_, victim.classes()),
        predictor_(victim, n_) {
    data::Loader loader(source, {.batch = n_, .views = {data::Augment{}}, .shuffle = false});
    const data::Batch& batch = loader.next();
    images_.assign(batch.views[0].begin(), batch.views[0].end());
    clean_.upload(images_);
    host_labels_ = batch.labels;
    labels_.upload(batch.labels);
    make_workspace(victim_, work_);
  }

  const CheckOptions<T, Device>& o;
  int n() const { return n_; }
  int classes() const { return victim_.classes(); }
  const std::int32_t* labels() const { return labels_.data(); }
  Images clean() const { return clean_.view(); }
  /// Pixels of an image.
  std::size_t pixels() const { return std::size_t(dims_.count()); }
  Context context(int path) const {
    Context ctx{.mode = Mode::eval, .stop = o.stop};
    if (victim_.network()) ctx.path = path;
    return ctx;
  }

  /// (n, classes) of one of the victim's outputs.
  std::vector<T> logits(Images x, const Context& ctx, int output = 0) {
    return to_host(predictor_(x, ctx, output));
  }
  /// Whether all outputs are right.
  Flags right(Images x, int path) {
    Flags all(std::size_t(x.n), true);
    for (int k = 0; k < victim_.outputs(); ++k) {
      const std::vector<T> z = logits(x, context(path), k);
      for (int i = 0; i < x.n; ++i)
        if (argmax(z.data() + std::size_t(i) * classes(), classes()) !=
            host_labels_[std::size_t(i)])
          all[std::size_t(i)] = false;
    }
    return all;
  }
  Flags right(Images x) { return right(x, o.path); }

  /// The gradients of the loss in x, (n, h, w, c), and its values where asked for.
  template <class Loss>
  std::vector<T> gradient(Images x, const Loss& loss, std::vector<T>* values = nullptr) {
    const View<T, Device> dx = work_->gradient.view().samples(0, x.n);
    Buffer<T, Device> value(std::size_t(x.n));
    attack::input_gradient<T, Device>(victim_, *work_, x, loss, context(o.attack_path), dx,
                                      value.data());
    if (values) {
      values->resize(std::size_t(x.n));
      memory<Device>::download(values->data(), value.data(), values->size() * sizeof(T), {});
    }
    return to_host(View<const T, Device>(dx));
  }

  /// AutoPGD on the cross-entropy.
  attack::AutoPgd<Norm> white_box(double eps, int steps, int restarts = 1) const {
    return {.eps = eps, .steps = steps, .restarts = restarts, .seed = o.seed};
  }
  /// The images that an attack makes, checked.
  template <class Attack> std::vector<T> attacked(const Attack& attack) {
    return attacked(attack, victim_, *work_, context(o.attack_path));
  }
  template <class Attack>
  std::vector<T> attacked(const Attack& attack, const Ref& model,
                          attack::Workspace<T, Device>& work, const Context& ctx) {
    Tensor<T, Device> moved(n_, dims_);
    attack(model, work, clean(), moved.view(), loss::CrossEntropy{.labels = labels()}, ctx, 0);
    std::vector<T> host = to_host(std::as_const(moved).view());
    attack::verify<Norm, T>(images_, host, n_, attack.eps);
    return host;
  }
  Tensor<T, Device> tensor(const std::vector<T>& host) const {
    Tensor<T, Device> x(n_, dims_);
    x.upload(host);
    return x;
  }
  /// Whether images of the host are still predicted rightly.
  Flags robust(const std::vector<T>& moved, int path) {
    const Tensor<T, Device> x = tensor(moved);
    return right(x.view(), path);
  }
  Flags robust(const std::vector<T>& moved) { return robust(moved, o.path); }
  /// Images of the attack that most checks compare with, and whether the victim is right on them.
  const std::vector<T>& adversarial() {
    if (adversarial_.empty()) adversarial_ = attacked(white_box(o.eps, o.steps));
    return adversarial_;
  }
  const Flags& white() {
    if (white_.empty()) white_ = robust(adversarial());
    return white_;
  }
  const std::vector<T>& images() const { return images_; }
  const Ref& victim() const { return victim_; }
  attack::Workspace<T, Device>& work() { return *work_; }
  static void make_workspace(const Ref& model, int n,
                             std::optional<attack::Workspace<T, Device>>& work) {
    if (model.network())
      work.emplace(*model.network(), n);
    else
      work.emplace(model.box(), n);
  }

 private:
  void make_workspace(const Ref& model, std::optional<attack::Workspace<T, Device>>& work) {
    make_workspace(model, n_, work);
  }

  Ref victim_;
  int n_;
  Dims dims_;
  Tensor<T, Device> clean_;
  std::vector<T> images_, adversarial_;
  Flags white_;
  std::vector<std::int32_t> host_labels_;
  loss::Labels<Device> labels_;
  attack::Predictor<T, Device> predictor_;
  std::optional<attack::Workspace<T, Device>> work_;
};

}  // namespace rnx::inline RNX_ISA::eval::detail
