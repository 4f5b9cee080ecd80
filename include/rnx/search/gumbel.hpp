// ChannelMask<widths...>: a soft choice of a block's width (paper 001, section 3.2; Wan et al.
// 2020, "FBNetV2", section 3.1).
//
//   y(k) = x(k) sum_i g_i 1[k < width_i],   g = softmax((theta + Gumbel noise) / temperature)
// One draw per mask and forward, the same for the batch, in train and eval mode: keyed by
// StepValues::seed, draw + Context::draw and site. trace.saved(node) holds g; a cost that reads it
// adds dL/dg to trace.saved_seed(node), which is zero after each forward.
#pragma once

#include <array>
#include <cmath>

#include "rnx/network.hpp"
#include "rnx/search/cpu.hpp"

namespace rnx::inline RNX_ISA {

template <Dims D, class T, class Device, int... Ws>
struct BoundChannelMask : BoundSameShape<D, T, Device> {
  static constexpr int n = sizeof...(Ws);
  static constexpr op::Widths widths{n, {Ws...}};
  using Same = BoundSameShape<D, T, Device>;
  using typename Same::In, typename Same::Out;

  [[gnu::cold]] static int describe(GraphBuilder& g, int input) {
    Node node = Same::node(Kind::mask, "channel_mask", input);
    node.widths = {Ws...};
    node.parameters.push_back({"theta", {n}, ParameterKind::architecture, Init::constant, 1.0 / n});
    node.reads.input = reads::parameter_gradient;
    node.scratch.saved_fixed = n + D.c;  // g | factors
    node.scratch.backward = D.c;         // products, one row a sample
    return g.add(std::move(node));
  }
  template <class P> static void forward(In x, Out& y, P& pass, int site) {
    y.dims.c = x.dims.c;
    pass.run(op::gumbel_mask<T>{.widths = widths,
                                .c = x.dims.c,
                                .draw = pass.ctx.draw,
                                .site = std::uint64_t(site),
                                .values = pass.ctx.values,
                                .theta = pass.parameter(site),
                                .g = pass.saved(site),
                                .factors = pass.saved(site) + n});
    if (const std::size_t seed = pass.places[site].saved_seed; seed != Placement::none)
      pass.run(op::fill<T>{std::size_t(n), T(0), pass.arena + seed});
    pass.run(op::scale_channels<T>{.x = x, .s = {factors(x), pass.saved(site) + n}, .y = y});
  }
  template <class P, class Sink> static void backward(In dy, Out dx, Sink sink, P& pass, int site) {
    const In x = pass.records[site].x;
    if (dx)
      pass.run(op::scale_channels<T>{.x = dy, .s = {factors(dy), pass.saved(site) + n}, .y = dx});
    if constexpr (wants_grads<Sink>) {
      const geometry::Map rows{x.n, 1, 1, x.dims.c, D.c};
      T* products = pass.work_backward(site);
      pass.run(op::scale_channels_gate<T>{.x = x, .dy = dy, .ds = {rows, products}});
      pass.run(op::gumbel_mask_backward<T>{.widths = widths,
                                           .s = rows,
                                           .values = pass.ctx.values,
                                           .products = products,
                                           .seed = pass.arena + pass.places[site].saved_seed,
                                           .g = pass.saved(site),
                                           .dtheta = sink.base + pass.sites[site].parameters});
    }
  }

 private:
  static geometry::Map factors(In x) {
    return {x.n, 1, 1, x.dims.c, 0};
  }  // stride 0: one row for every sample
};

/// Widths: 1 to 16, the largest first, at most the input's channels. Parameter `theta` (n), kind
/// architecture, 1/n each at first.
template <int... Widths> struct ChannelMask : SameShape {
  static constexpr Fault fault(Dims in) {
    if (!in.valid()) return Fault::empty_input;
    int before = in.c + 1;
    for (int w : {Widths..., 0}) {
      if (w >= before) return Fault::mask;
      before = w;
    }
    const bool positive =
        sizeof...(Widths) > 0 && sizeof...(Widths) <= op::most_widths && ((Widths > 0) && ...);
    return positive ? Fault::none : Fault::mask;
  }
  template <class In, class Device, class T>
  using bind = BoundChannelMask<In::dims, T, Device, Widths...>;
};

namespace search {

/// The width of the largest theta of every mask, in graph order: the found architecture (paper 001:
/// arg max, no draw).
/// Throws NumericError, naming the parameter, where a theta is NaN: a search that broke down found
/// nothing.
template <class T, class Device> std::vector<int> found_widths(const NetworkBase<T, Device>& net) {
  std::vector<int> widths;
  for (const NamedParameter& p : net.graph().parameters) {
    const Node& node = net.graph().nodes[p.node];
    if (node.kind != Kind::mask) continue;
    const std::vector<T> theta = net.get(p.name).values;
    for (const T v : theta)
      require<NumericError>(!std::isnan(v), [&] {
        return "search: the parameter '" + p.name + "' holds NaN, expected numbers";
      });
    widths.push_back(node.widths[std::max_element(theta.begin(), theta.end()) - theta.begin()]);
  }
  return widths;
}

}  // namespace search
}  // namespace rnx::inline RNX_ISA
