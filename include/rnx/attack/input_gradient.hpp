// The one door of attacks: the gradient of a per-sample loss in the input, computed in tiles of
// samples.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "rnx/attack/norm.hpp"

namespace rnx::inline RNX_ISA::attack {

/// dx(i) = d loss(i) / d x(i) for every sample of x, assigned; values: device memory, one loss per
/// sample, or null. The tile is the trace's capacity, and several threads work on tiles at once
/// where the loss allows it: in eval mode every tile size gives the same bits. In train mode batch
/// norm couples the samples, so the whole batch must fit. The loss is called once per tile, with
/// the tile's first sample; gradients are those of the SUM over samples. ctx.samples: x holds these
/// samples of a batch, whose targets the loss has; each gets the bits that it has in the batch.
/// Throws Stopped before a tile when ctx.stop is set, UsageError when dx shares memory with x.
template <class T, class Device, class Loss>
void input_gradient(const NetworkBase<T, Device>& net, Trace<T, Device>& trace,
                    std::type_identity_t<View<const T, Device>> x, const Loss& loss,
                    const Context& ctx, std::type_identity_t<View<T, Device>> dx,
                    std::type_identity_t<T>* values = nullptr) {
  require<ShapeError>(dx.n == x.n && dx.dims == x.dims,
                      "input_gradient: dx must have the shape of x");
  require<UsageError>(!overlap(x, dx),
                      "input_gradient: dx must not share memory with x, which backward reads");
  require<StateError>(ctx.mode == Mode::eval || x.n <= trace.capacity(),
                      "input_gradient: in train mode the trace must hold the whole batch");
  require<UsageError>(!ctx.samples || ctx.mode == Mode::eval || !net.batch_statistics(),
                      "input_gradient: batch statistics couple the samples; in train mode an "
                      "attack takes the whole batch");
  check_samples(ctx, x.n);
  const int size = trace.capacity();
  const long tiles = (x.n + size - 1) / size;
  const auto pass = [&](long tile, Trace<T, Device>& at) {
    check_stop(ctx);
    const int first = int(tile) * size, n = std::min(size, x.n - first);
    const Context at_tile = ctx.part(first, n);
    net.forward(at, x.samples(first, n), at_tile);
    loss::Call<T> call{.first = ctx.samples ? 0 : first, .samples = at_tile.samples};
    if (values) {
      call.values = values + first;
      call.scratch = at.loss_scratch();
    }
    loss::evaluate(loss, at, call);
    net.backward(at, dx.samples(first, n), nullptr);
  };
  if constexpr (std::is_same_v<Device, cpu> && loss::concurrent<Loss>)
    if (tiles > 1 && net.tiling(x.n).by_thread) {
      const int lanes = host::threads();
      trace.lanes(lanes);
      net.prepare_weights(ctx);
      return host::parallel_lanes(tiles, lanes, [&](long tile, int lane) {
        pass(tile, trace.lane(lane, size, net.graph()));
      });
    }
  for (long tile = 0; tile < tiles; ++tile) pass(tile, trace);
}

/// What an attack needs beside the network: a trace for its tiles, a gradient, the values that its
/// kernels read, and what it keeps from step to step. Built once per batch size and used for every
/// call; one call at a time.
template <class T = float, class Device = cpu> class Workspace {
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
  Workspace(const Workspace&) = delete;

 private:
  std::optional<Trace<T, Device>> own_;

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
  /// Of its own trace and of states.
  std::size_t bytes() const {
    std::size_t sum = own_ ? own_->bytes() : 0;
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
};

}  // namespace rnx::inline RNX_ISA::attack
