// The doors of attacks: the gradient of a per-sample loss in the images, its values alone, and the
// memory that they work in.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "rnx/attack/network_gradient.hpp"
#include "rnx/attack/norm.hpp"
#include "rnx/attack/victim.hpp"

namespace rnx::inline RNX_ISA::attack {

/// What an attack needs beside the victim: a trace for its tiles, a gradient, the values that its
/// kernels read, and what it keeps from step to step. Built once per batch size and used for every
/// call; one call at a time.
template <class T = float, class Device = default_device> class Workspace {
 public:
  /// capacity: samples of a batch; tile: samples per pass (0: what suits the network and the cache;
  /// in train mode all of them); keep: what the loss reads; mode: of the model under attack.
  Workspace(const NetworkBase<T, Device>& net, int capacity, int tile = 0,
            std::vector<Keep> keep = {}, Mode mode = Mode::eval)
      : own_(net.make_trace(
            {.use = Use::input_gradient,
             .capacity = mode == Mode::train
                             ? capacity
                             : std::min(tile ? tile : net.tiling(capacity).samples, capacity),
             .keep = std::move(keep),
             .eval_only = mode == Mode::eval})),
        trace(*own_),
        gradient(capacity, net.input_dims()),
        values_(1),
        mode_(mode) {}
  /// Works in a trace of somebody else's, which must outlive it and be free while an attack runs: a
  /// training trace need not stand twice.
  Workspace(const NetworkBase<T, Device>& net, Trace<T, Device>& shared, Mode mode)
      : trace(shared),
        gradient(shared.capacity(), net.input_dims()),
        values_(1),
        mode_(mode) {}
  /// For a victim that is no network. tile 0: as it likes. Throws UsageError for activations to
  /// keep, which it has none of, and train mode.
  Workspace(const Victim<T, Device>& victim, int capacity, int tile = 0,
            const std::vector<Keep>& keep = {}, Mode mode = Mode::eval)
      : memory_(victim.make_memory(Use::input_gradient, capacity, tile)),
        trace(memory_->trace),
        gradient(capacity, victim.input_dims()),
        values_(1),
        mode_(mode) {
    require<UsageError>(keep.empty() && mode == Mode::eval,
                        "workspace: a victim that is no network keeps no activations and runs in "
                        "eval mode");
  }
  Workspace(const Workspace&) = delete;

 private:
  std::optional<Trace<T, Device>> own_;
  std::unique_ptr<typename Victim<T, Device>::Memory> memory_;

 public:
  Trace<T, Device>& trace;
  Tensor<T, Device> gradient;
  Mode mode() const { return mode_; }
  /// An attack's own memory under this name, `dims` for each sample of the workspace; without dims
  /// those of an image (a momentum). Zeros when it is first asked for, then as it was left: an
  /// attack zeroes it at the start of a call, since checkpoints do not hold it. The attack itself
  /// stays const, and may be shared. Throws ShapeError when the name has had other dims.
  Tensor<T, Device>& state(const std::string& name, std::optional<Dims> dims = {}) {
    const Dims shape = dims.value_or(gradient.dims());
    Tensor<T, Device>& own = states_.try_emplace(name, gradient.n(), shape).first->second;
    require<ShapeError>(own.dims() == shape, [&] {
      return "workspace: the state '" + name + "' has " + own.dims().text() +
             " for each sample, found " + shape.text();
    });
    return own;
  }
  /// An attack that works in memory of its own, too, adds what it took there.
  void count(const Passes& elsewhere) { counted_ += elsewhere; }
  /// Its trace for several backwards of one forward, of the same tiles; made when it is first asked
  /// for.
  Trace<T, Device>& repeating(const NetworkBase<T, Device>& net) {
    if (!repeating_)
      repeating_.emplace(net.make_trace({.use = Use::input_gradient,
                                         .capacity = trace.capacity(),
                                         .eval_only = mode_ == Mode::eval,
                                         .repeat_backward = true}));
    return *repeating_;
  }
  /// Of a victim that is no network. Throws UsageError where it was made for a network.
  typename Victim<T, Device>::Memory& memory() {
    require<UsageError>(memory_ != nullptr, "workspace: it was made for a network");
    return *memory_;
  }
  /// Samples that networks have taken forward and backward in it, and elsewhere for it.
  Passes passes() const {
    Passes sum = (memory_ ? memory_->passes() : trace.passes()) + counted_;
    if (predictor_) sum += predictor_->passes();
    if (repeating_) sum += repeating_->passes();
    return sum;
  }
  /// Logits alone, in eval mode. Made anew where the workspace goes from one network to another of
  /// the same graph, whose predictions are not the first one's.
  Predictor<T, Device>& predictor(const VictimRef<T, Device>& victim) {
    if (predictor_ && predictor_->victim() == victim) return *predictor_;
    if (predictor_) counted_ += predictor_->passes();
    return predictor_.emplace(victim, gradient.n());
  }
  /// Of its own traces or memory, of predictions and of states.
  std::size_t bytes() const {
    std::size_t sum = own_ ? own_->bytes() : memory_ ? memory_->bytes() : 0;
    if (predictor_) sum += predictor_->bytes();
    if (repeating_) sum += repeating_->bytes();
    for (const auto& [name, own] : states_) sum += own.size() * sizeof(T);
    return sum;
  }
  /// Uploads the values an attack's kernels read and returns their address.
  const StepValues* set(const StepValues& v) {
    values_.upload(std::span<const StepValues>(&v, 1));
    return values_.data();
  }

 private:
  Buffer<StepValues, Device> values_;
  Mode mode_;
  std::map<std::string, Tensor<T, Device>> states_;
  std::optional<Predictor<T, Device>> predictor_;
  std::optional<Trace<T, Device>> repeating_;
  Passes counted_{};  // by predictors of other victims, and by attacks elsewhere
};

/// dx(i) = d loss(i) / d x(i) of a network or a white box, as the function of a trace
/// (network_gradient.hpp) says; work: made for this victim.
template <class T, class Device, class Loss>
void input_gradient(std::type_identity_t<WhiteBoxRef<T, Device>> victim, Workspace<T, Device>& work,
                    std::type_identity_t<View<const T, Device>> x, const Loss& loss,
                    const Context& ctx, std::type_identity_t<View<T, Device>> dx,
                    std::type_identity_t<T>* values = nullptr) {
  if (const auto* net = victim.network())
    return input_gradient(*net, work.trace, x, loss, ctx, dx, values);
  check_context<T, Device>(victim, ctx);
  check_samples(ctx, x.n);
  require<ShapeError>(dx.n == x.n && dx.dims == x.dims,
                      "input_gradient: dx must have the shape of x");
  require<UsageError>(!overlap(x, dx),
                      "input_gradient: dx must not share memory with x, which backward reads");
  victim.white_box().input_gradient(work.memory(), x, loss::LossRef<T, Device>(loss), ctx, dx,
                                    values);
}

/// The gradients of several losses of a network or a white box: of a network from one forward, see
/// network_gradient.hpp, and else one after the other, `each` being called for the whole batch.
template <class T, class Device, class MakeLoss, class Each>
void input_gradients(std::type_identity_t<WhiteBoxRef<T, Device>> victim,
                     Workspace<T, Device>& work, std::type_identity_t<View<const T, Device>> x,
                     int count, const MakeLoss& make_loss, const Context& ctx,
                     std::type_identity_t<View<T, Device>> dx, std::type_identity_t<T>* values,
                     const Each& each) {
  if (const auto* net = victim.network(); net && count > 1)
    return input_gradients(*net, work.repeating(*net), x, count, make_loss, ctx, dx, values, each);
  for (int k = 0; k < count; ++k) {
    input_gradient<T, Device>(victim, work, x, make_loss(k), ctx, dx, values);
    each(k, 0, x.n, ctx);
  }
}

/// values(i) = the loss of sample i, in device memory: what attacks that query alone compare.
template <class T, class Device, class Loss>
void loss_values(std::type_identity_t<VictimRef<T, Device>> victim, Workspace<T, Device>& work,
                 std::type_identity_t<View<const T, Device>> x, const Loss& loss,
                 const Context& ctx, std::type_identity_t<T>* values) {
  if (const auto* net = victim.network())
    return input_gradient(*net, work.trace, x, loss, ctx, {}, values);
  check_context<T, Device>(victim, ctx);
  check_samples(ctx, x.n);
  victim.box().loss_values(work.memory(), x, loss::LossRef<T, Device>(loss), ctx, values);
}

}  // namespace rnx::inline RNX_ISA::attack
