// The training loop: epochs of shuffled, augmented batches. Prints nothing; progress goes through a callback.
#pragma once

#include <functional>

#include "rnx/train/step.hpp"

namespace rnx::inline RNX_ISA::train {

struct FitOptions {
  int epochs = 1, batch = 128;
  std::uint64_t seed = 0;
  std::optional<data::Augment> augment = data::Augment{};
  double label_smoothing = 0;
  std::function<optim::Rates(long step, long steps)> schedule;  ///< rates of a step, of all steps of the run
};

/// What a callback is told after each step.
struct Progress {
  int epoch = 0;                     ///< from 0
  long step = 0, steps_in_epoch = 0; ///< step within the epoch, from 1
  double loss = 0, accuracy = 0;     ///< means over the epoch so far, on the images that were trained on
  double lr = 0;
  std::size_t samples = 0;           ///< seen in this epoch
};

/// Trains `net` in place. The order of an epoch, the augmentation of a sample and every random number depend on the seed alone.
/// Errors: NumericError when a loss is not finite (the step that showed it has been taken).
template <class Device, class Objective>
void fit(NetworkBase<float, Device>& net, const data::Images& images, Objective objective, optim::Optimizer<float, Device>& optimizer, const FitOptions& o,
         const std::function<void(const Progress&)>& callback = {}) {
  require<UsageError>(o.epochs >= 0 && o.batch > 0 && images.n >= 1, "fit: epochs, batch and the data set must not be empty");
  require<UsageError>(bool(o.schedule), "fit: a schedule is needed");
  const int batch = std::min(o.batch, images.n), classes = net.classes();
  const long per_epoch = (images.n + batch - 1) / batch, total = per_epoch * o.epochs;
  StepValues v{.seed = o.seed};
  if constexpr (attacks<Objective>) v.eps = objective.attack.eps, v.step = objective.attack.step;
  Step<float, Device, Objective> step(net, optimizer, std::move(objective), batch, o.label_smoothing);
  optim::StepState<Device> state;
  std::vector<float> host(batch * images.dims.count());
  std::vector<std::int32_t> y(batch);
  for (int epoch = 0; epoch < o.epochs; ++epoch) {
    const std::vector<std::uint32_t> order = data::epoch_order(images.n, o.seed, epoch);
    Progress p{.epoch = epoch, .steps_in_epoch = per_epoch};
    double loss_sum = 0;
    std::size_t right = 0;
    for (long k = 0; k < per_epoch; ++k) {
      const int n = int(std::min<std::size_t>(batch, order.size() - k * batch));
      const std::span ids(order.data() + k * batch, std::size_t(n));
      y.resize(n), host.resize(n * images.dims.count());
      data::make_batch(images, ids, o.augment ? &*o.augment : nullptr, o.seed, epoch, host.data(), y.data());
      step.images.upload(host);
      step.labels.upload(y);
      const long index = epoch * per_epoch + k;
      optimizer.apply(o.schedule(index, total), v);
      v.draw = std::uint64_t(index) << 16;  // room for the draws of one step
      state.set(v);
      step(n, state.get());
      loss_sum += step.values.mean(n) * n;
      const std::vector<float> z = to_host(step.logits());
      for (int i = 0; i < n; ++i) right += eval::argmax(z.data() + i * classes, classes) == y[i];
      p.step = k + 1, p.samples += n, p.loss = loss_sum / p.samples, p.accuracy = double(right) / p.samples, p.lr = v.lr;
      if (callback) callback(p);
    }
  }
}

}  // namespace rnx::inline RNX_ISA::train
