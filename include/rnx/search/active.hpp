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

/// Runs one sample of zeros in eval mode and reads the trace. Throws what forward throws for such a subnet.
template <class T, class Device>
Active active(const NetworkBase<T, Device>& net, const Subnet& subnet) {
  auto trace = net.make_trace({.capacity = 1});
  const Tensor<T, Device> x(1, net.input_dims());
  net.forward(trace, x.view(), {.subnet = &subnet});
  Active a;
  const auto& nodes = net.graph().nodes;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto& r = trace.records()[i];
    const bool ran = r.x.n > 0;  // a stage's output is noted under its last block even where that did not run
    a.in.push_back(ran ? r.x.dims : Dims{}), a.out.push_back(ran ? r.y.dims : Dims{});
    int kernel = nodes[i].kernel_h;
    if (nodes[i].slots && nodes[i].slot_names.back() == "kernel") kernel = std::min(kernel, subnet.choice[nodes[i].slot + nodes[i].slots - 1]);
    a.kernel.push_back(kernel);
  }
  return a;
}

/// The subnet whose k-th "width" slot, in graph order, takes widths[k]. Throws UsageError when their numbers differ.
template <class T, class Device>
Subnet width_subnet(const NetworkBase<T, Device>& net, std::span<const int> widths) {
  std::vector<typename NetworkBase<T, Device>::Choice> choices;
  for (const Slot& s : net.graph().slots)
    if (s.what == "width") choices.push_back({s.path, s.what, choices.size() < widths.size() ? widths[choices.size()] : 0});
  require<UsageError>(choices.size() == widths.size(),
                      [&] { return "width_subnet: the network has " + std::to_string(choices.size()) + " width slots, found " + std::to_string(widths.size()) + " widths"; });
  return net.make_subnet(choices);
}

/// Host copy of one parameter or buffer.
template <class T, class Device>
std::vector<T> host_values(const NetworkBase<T, Device>& net, const NamedParameter& p, bool buffer) {
  std::vector<T> v(p.count);
  memory<Device>::download(v.data(), (buffer ? net.buffers() : net.parameters()) + p.offset, p.count * sizeof(T));
  return v;
}

}  // namespace rnx::inline RNX_ISA::search
