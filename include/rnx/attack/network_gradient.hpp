// The gradient of a per-sample loss in a network's input, computed in tiles of samples.
#pragma once

#include "rnx/loss.hpp"

namespace rnx::inline RNX_ISA::attack {

namespace detail {

/// pass(at, first, n, at_tile) on every tile [first, first + n) of x, in a trace and context for
/// it; several threads work on tiles at once where `concurrent`.
template <bool concurrent, class T, class Device, class Pass>
void each_tile(const NetworkBase<T, Device>& net, Trace<T, Device>& trace, const Context& ctx,
               int count, const Pass& pass) {
  require<StateError>(ctx.mode == Mode::eval || count <= trace.capacity(),
                      "input_gradient: in train mode the trace must hold the whole batch");
  require<UsageError>(!ctx.samples || ctx.mode == Mode::eval || !net.batch_statistics(),
                      "input_gradient: batch statistics couple the samples; in train mode an "
                      "attack takes the whole batch");
  check_samples(ctx, count);
  const int size = trace.capacity();
  const long tiles = (count + size - 1) / size;
  const auto one = [&](long tile, Trace<T, Device>& at) {
    check_stop(ctx);
    const int first = int(tile) * size, n = std::min(size, count - first);
    pass(at, first, n, ctx.part(first, n));
  };
  if constexpr (std::is_same_v<Device, cpu> && concurrent)
    if (tiles > 1 && net.tiling(count).by_thread) {
      const int lanes = host::threads();
      trace.lanes(lanes);
      net.prepare_weights(ctx);
      return host::parallel_lanes(tiles, lanes, [&](long tile, int lane) {
        one(tile, trace.lane(lane, size, net.graph()));
      });
    }
  for (long tile = 0; tile < tiles; ++tile) one(tile, trace);
}

/// The loss of a tile whose first sample is that of the batch; values: of the whole batch, or null.
template <class T, class Device, class Loss>
void evaluate_tile(const Loss& loss, Trace<T, Device>& at, int first, const Context& ctx,
                   const Context& at_tile, T* values) {
  loss::Call<T> call{.first = ctx.samples ? 0 : first, .samples = at_tile.samples};
  if (values) {
    call.values = values + first;
    call.scratch = at.loss_scratch();
  }
  loss::evaluate(loss, at, call);
}

}  // namespace detail

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
  const auto pass = [&](Trace<T, Device>& at, int first, int n, const Context& at_tile) {
    net.forward(at, x.samples(first, n), at_tile);
    detail::evaluate_tile<T>(loss, at, first, ctx, at_tile, values);
    if (dx) net.backward(at, dx.samples(first, n), nullptr);
  };
  detail::each_tile<loss::concurrent<Loss>>(net, trace, ctx, x.n, pass);
}

/// The gradients of `count` losses of the same images, make_loss(k), from one forward: of every
/// tile [first, first + n), each(k, first, n, context of the tile) is called when dx and values
/// hold those of loss k; several threads may call it at once, each for its tile. The trace was made
/// with TraceOptions::repeat_backward. Otherwise as input_gradient.
template <class T, class Device, class MakeLoss, class Each>
void input_gradients(const NetworkBase<T, Device>& net, Trace<T, Device>& trace,
                     std::type_identity_t<View<const T, Device>> x, int count,
                     const MakeLoss& make_loss, const Context& ctx,
                     std::type_identity_t<View<T, Device>> dx, std::type_identity_t<T>* values,
                     const Each& each) {
  using Loss = decltype(make_loss(0));
  static_assert(!loss::couples<Loss>, "rnx: an attack needs a loss per sample");
  require<ShapeError>(dx.n == x.n && dx.dims == x.dims && !overlap(x, dx),
                      "input_gradients: dx must have the shape of x and memory of its own");
  const auto pass = [&](Trace<T, Device>& at, int first, int n, const Context& at_tile) {
    net.forward(at, x.samples(first, n), at_tile);
    for (int k = 0; k < count; ++k) {
      detail::evaluate_tile<T>(make_loss(k), at, first, ctx, at_tile, values);
      net.backward(at, dx.samples(first, n), nullptr);
      each(k, first, n, at_tile);
    }
  };
  detail::each_tile<loss::concurrent<Loss>>(net, trace, ctx, x.n, pass);
}

}  // namespace rnx::inline RNX_ISA::attack
