// The gradient of a per-sample loss in a network's input, computed in tiles of samples.
#pragma once

#include "rnx/loss.hpp"

namespace rnx::inline RNX_ISA::attack {

/// dx(i) = d loss(i) / d x(i) for every sample of x, assigned; values: device memory, one loss per
/// sample, or null. The tile is the trace's capacity, and several threads work on tiles at once
/// where the loss allows it: in eval mode every tile size gives the same bits. In train mode batch
/// norm couples the samples, so the whole batch must fit. The loss is called once per tile, with
/// the tile's first sample; gradients are those of the SUM over samples. ctx.samples: x holds these
/// samples of a batch, whose targets the loss has; each gets the bits that it has in the batch.
/// dx may be empty: values alone, without backward.
/// Throws Stopped before a tile when ctx.stop is set, UsageError when dx shares memory with x.
template <class T, class Device, class Loss>
void input_gradient(const NetworkBase<T, Device>& net, Trace<T, Device>& trace,
                    std::type_identity_t<View<const T, Device>> x, const Loss& loss,
                    const Context& ctx, std::type_identity_t<View<T, Device>> dx,
                    std::type_identity_t<T>* values = nullptr) {
  static_assert(!loss::couples<Loss>,
                "rnx: an attack needs a loss per sample; this one couples the samples of a batch");
  require<ShapeError>(!dx || (dx.n == x.n && dx.dims == x.dims),
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
    if (dx) net.backward(at, dx.samples(first, n), nullptr);
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

}  // namespace rnx::inline RNX_ISA::attack
