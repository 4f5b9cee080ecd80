// Cost, read from the graph: parameters, multiply-accumulates, bit operations, ReLUs, activations,
// bits of storage. Per sample.
#pragma once

#include "rnx/network.hpp"

namespace rnx::inline RNX_ABI::cost {

/// What one node costs. MACs count products of convolutions and linear layers, no biases.
struct Row {
  std::string path, operation;
  Dims out{};
  long long parameters = 0, macs = 0, relus = 0, activations = 0;
  double bops =
      /// macs x weight bits x activation bits (bases count as bits); 64 macs for full precision,
      /// that is 8 x 8 (paper 003, section 3.3)
      0;
  /// what a file of the layer must hold: weights at their bits, packed or not, with their scales;
  /// all other parameters and buffers at 32 bits a number
  long long storage_bits = 0;
};

/// How a table counts.
struct Convention {
  /// 1 x 1 convolutions of projections (torchvision's "downsample") as the 3 x 3 that paper 003
  /// counts for ResNet-18 on ImageNet: macs and bops alone.
  bool shortcuts_as_3x3 = false;
};

struct Table {
  std::vector<Row> rows;
  Row total() const {
    Row t;
    for (const Row& r : rows) {
      t.parameters += r.parameters;
      t.macs += r.macs;
      t.relus += r.relus;
      t.activations += r.activations;
      t.bops += r.bops;
      t.storage_bits += r.storage_bits;
    }
    return t;
  }
};

namespace detail {
/// Of a convolution or a linear layer, which need not have them as parameters.
inline long long weight_count(const Node& n) {
  return (long long)n.out.c * (n.in.c / n.groups) * n.kernel_h * n.kernel_w;
}
inline Row row(const Node& n, int c_in, Dims out, int kernel_h, int kernel_w) {
  Row r{.path = n.path, .operation = n.operation, .out = out};
  for (const auto& p : n.parameters) r.parameters += (long long)p.count();
  const bool depthwise = n.operation == "depthwise";
  if (n.kind == Kind::convolution || n.kind == Kind::linear)
    r.macs = (long long)out.count() * (depthwise ? 1 : c_in / n.groups) * kernel_h * kernel_w;
  if (n.relu) r.relus = (long long)out.count();
  r.activations = (long long)out.count();
  const auto bits = [](int b) { return b == 32 ? 8 : b; };
  r.bops = double(r.macs) * bits(n.weight_bits) * bits(n.activation_bits);
  r.storage_bits = 32LL * n.weight_scales;
  for (const auto& p : n.parameters) {
    const bool packed = p.kind == ParameterKind::weight && r.macs > 0;
    r.storage_bits += (packed ? n.weight_bits : 32LL) * (long long)p.count();
  }
  for (const auto& b : n.buffers)
    r.storage_bits += b.kind == ParameterKind::bits ? n.weight_bits * weight_count(n)
                                                    : 32LL * (long long)b.count();
  return r;
}
inline int kernel_size(const Node& n, int size, const Convention& convention) {
  const bool projection = n.kind == Kind::convolution && n.kernel_h == 1 && n.kernel_w == 1 &&
                          n.path.find("downsample") != std::string::npos;
  return convention.shortcuts_as_3x3 && projection ? 3 : size;
}
}  // namespace detail

/// Every node at its static maximum.
inline Table table(const Graph& graph, const Convention& convention = {}) {
  const auto size = [&](const Node& n, int k) { return detail::kernel_size(n, k, convention); };
  Table t;
  for (const Node& n : graph.nodes)
    if (n.kind != Kind::choice)
      t.rows.push_back(detail::row(n, n.in.c, n.out, size(n, n.kernel_h), size(n, n.kernel_w)));
  return t;
}

/// Every node of a network: a masked ReLU counts the ones of its mask.
template <class T, class Device>
Table table(const NetworkBase<T, Device>& net, const Convention& convention = {}) {
  Table t = table(net.graph(), convention);
  for (Row& r : t.rows) {
    if (r.operation != "masked_relu") continue;
    r.relus = 0;
    for (const T v : net.get(r.path + ".mask").values) r.relus += v != T(0);
  }
  return t;
}

/// The nodes that ran in a trace's last forward, with the channels that were active: cost of a
/// subnet. Parameters are the maxima's.
template <class Trace> Table table(const Graph& graph, const Trace& trace) {
  Table t;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& n = graph.nodes[i];
    const auto& r = trace.records()[i];
    if (n.kind == Kind::choice || r.x.n == 0) continue;
    int kernel = n.kernel_h;
    if (const Subnet* s = trace.context().subnet;
        s && n.slot_count && n.slot_names.back() == "kernel")
      kernel = std::min(kernel, s->choice[n.slot + n.slot_count - 1]);
    t.rows.push_back(
        detail::row(n, r.x.dims.c, r.y.dims, kernel, kernel == n.kernel_h ? n.kernel_w : kernel));
  }
  return t;
}

}  // namespace rnx::inline RNX_ABI::cost
