// The nearest of the linearised boundaries to other classes, which FAB and DeepFool step to.
#pragma once

#include "rnx/attack/fab_row.hpp"
#include "rnx/attack/input_gradient.hpp"
#include "rnx/kernels/cpu/row.hpp"
#include "rnx/loss/margin.hpp"

namespace rnx::inline RNX_ISA::attack::detail {

/// a.plane, a.state: of the nearest of the boundaries whose margins are make_loss(0), ...,
/// make_loss(count - 1), with gradients from one forward of a network. a: the operation on the
/// whole batch, with a.gradient and a.difference to work in.
template <class T, class Device, class MakeLoss>
void nearest_boundary(const WhiteBoxRef<T, Device>& victim, Workspace<T, Device>& work,
                      View<const T, Device> x, int count, const MakeLoss& make_loss,
                      const Context& ctx, View<T, Device> gradient, T* difference,
                      const op::fab_nearest<T>& a) {
  const std::size_t of_sample = x.dims.count();
  const auto each = [&](int k, int first, int n, const Context& at) {
    op::fab_nearest<T> tile = a;
    tile.gradient = map(View<const T, Device>(gradient.samples(first, n)));
    tile.difference = difference + first;
    tile.plane.n = n;
    tile.plane.data += std::size_t(first) * of_sample;
    tile.state += std::size_t(first) * op::fab_columns;
    tile.first = k == 0;
    tile.other = k;
    if (a.labels && !ctx.samples) tile.labels += first;
    tile.samples = at.samples.data;
    run<Device>({ctx.stream}, tile);
  };
  input_gradients<T, Device>(victim, work, x, count, make_loss, ctx, gradient, difference, each);
}

}  // namespace rnx::inline RNX_ISA::attack::detail
