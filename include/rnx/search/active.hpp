// What a subnet activates: the channels of every node, whether it runs, its kernel size.
#pragma once

#include "rnx/network.hpp"

namespace rnx::inline RNX_ISA::search {

/// Sizes by node under one subnet. Nodes that do not run have out.c = 0.
struct Active {
  std::vector<Dims> in, out;
  std::vector<int> kernel;
  bool runs(int node) const { return out[node].c > 0; }
};

/// Runs one sample of zeros in eval mode and reads the trace. Throws what forward throws for such a
/// subnet.
template <class T, class Device>
Active active(const NetworkBase<T, Device>& net, const Subnet& subnet) {
  auto trace = net.make_trace({.capacity = 1});
  const Tensor<T, Device> x(1, net.input_dims());
  net.forward(trace, x.view(), {.subnet = &subnet});
  Active a;
  const auto& nodes = net.graph().nodes;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto& r = trace.records()[i];
    const bool ran =
        r.x.n > 0;  // a stage's output is noted under its last block even where that did not run
    a.in.push_back(ran ? r.x.dims : Dims{});
    a.out.push_back(ran ? r.y.dims : Dims{});
    int kernel = nodes[i].kernel_h;
    if (nodes[i].slot_count && nodes[i].slot_names.back() == "kernel")
      kernel = std::min(kernel, subnet.choice[nodes[i].slot + nodes[i].slot_count - 1]);
    a.kernel.push_back(kernel);
  }
  return a;
}

/// The subnet whose k-th "width" slot, in graph order, takes widths[k]. Throws UsageError when
/// their numbers differ.
template <class T, class Device>
Subnet width_subnet(const NetworkBase<T, Device>& net, std::span<const int> widths) {
  std::vector<typename NetworkBase<T, Device>::Choice> choices;
  for (const Slot& s : net.graph().slot_list)
    if (s.what == "width")
      choices.push_back(
          {s.path, s.what, choices.size() < widths.size() ? widths[choices.size()] : 0});
  require<UsageError>(choices.size() == widths.size(), [&] {
    return "width_subnet: the network has " + std::to_string(choices.size()) +
           " width slots, found " + std::to_string(widths.size()) + " widths";
  });
  return net.make_subnet(choices);
}

/// Side of the square kernels that a transform of shape (k^2, k^2) makes.
inline int transform_size(const NamedParameter& p) {
  int k = 1;
  while (k * k < p.shape[0]) ++k;
  return k;
}

/// 1 for every element of the flat parameters that the subnet reads (of norms: on every path), else
/// 0. Gradients of the others are exactly zero.
template <class T, class Device>
std::vector<char> used_parameters(const NetworkBase<T, Device>& net, const Subnet& subnet) {
  const Active a = active(net, subnet);
  const Graph& graph = net.graph();
  std::vector<char> used(net.parameter_storage());
  // of elastic kernels: the centre that the first transform reads, and the size so far
  std::vector<int> crop(graph.nodes.size()), size(graph.nodes.size());
  for (const NamedParameter& p : graph.parameters) {
    const Node& n = graph.nodes[p.node];
    const int k = a.kernel[p.node];
    if (p.kind != ParameterKind::transform || k == n.kernel_h) continue;
    if (!crop[p.node]) {
      crop[p.node] = transform_size(p);
      size[p.node] = n.kernel_h;
    }
    if (a.runs(p.node) && size[p.node] > k) {
      std::fill_n(used.begin() + p.offset, p.count, char(1));
      size[p.node] = transform_size(p);
    }
  }
  for (const NamedParameter& p : graph.parameters) {
    const Node& n = graph.nodes[p.node];
    if (!a.runs(p.node) || p.kind == ParameterKind::transform) continue;
    const bool whole = !p.of_outputs() && p.input_axis() < 0, weight = p.input_axis() == 1;
    const int in = n.groups == 1 ? a.in[p.node].c : n.in.c / n.groups,
              pixels = weight ? n.kernel_h * n.kernel_w : 1,
              active = p.input_axis() == 0 ? a.in[p.node].c : a.out[p.node].c;
    const std::size_t row =
        p.count / p.shape[0];  // (o, i, kh, kw); linear layers: kh, kw are their input's
    const int side = crop[p.node] ? crop[p.node] : n.kernel_h, d = (n.kernel_h - side) / 2;
    for (std::size_t i = 0; i < p.count; ++i) {
      const int at = int(i) % pixels, y = at / n.kernel_w - d, x = at % n.kernel_w - d;
      const bool inside =
          !weight || (int(i % row) / pixels < in &&
                      (!crop[p.node] || (y >= 0 && y < side && x >= 0 && x < side)));
      used[p.offset + i] = whole || (int(i / row) < active && inside);
    }
  }
  return used;
}

}  // namespace rnx::inline RNX_ISA::search
