// What pruning left of a network, read from its values: what is pruned is zero, so weights alone
// say it, whoever wrote them. A weight is gone where it is 0, a channel where every parameter that
// runs over it (filters, biases, norms of its coupled group) is 0.
#pragma once

#include "rnx/network/base.hpp"

namespace rnx::inline RNX_ISA {

struct Remains {
  std::vector<std::vector<char>>
      channels;                  ///< by node: 1 for each channel of its output that stays
  std::vector<char> parameters;  ///< over the flat storage: 1 where one stays

  long left(int node) const {
    const auto& list = channels[std::size_t(node)];
    return std::count(list.begin(), list.end(), char(1));
  }
};

namespace detail {

/// Channels of a coupled group that stay: all where it holds none of its own, or the logits.
template <class T>
std::vector<char> channels_left(const Graph& graph, const std::vector<int>& group,
                                const std::vector<T>& values) {
  const int last = int(graph.nodes.size()) - 1, c = graph.nodes[std::size_t(group[0])].out.c;
  bool whole = false, filtered = false;
  for (const int i : group) {
    const Node& n = graph.nodes[std::size_t(i)];
    whole |= i == last || n.out.c != c || n.slot_count > 0 || n.operation == "concat" ||
             n.operation == "pad_shortcut" || holds_bits(n);
    filtered |= n.kind == Kind::convolution || n.kind == Kind::linear;
  }
  if (whole || !filtered) return std::vector<char>(std::size_t(c), 1);
  std::vector<char> left(std::size_t(c), 0);
  for (const NamedParameter& p : graph.parameters) {
    if (!p.of_outputs() || std::find(group.begin(), group.end(), p.node) == group.end()) continue;
    const std::size_t row = p.count / std::size_t(c);
    for (std::size_t i = 0; i < p.count; ++i) left[i / row] |= values[p.offset + i] != T(0);
  }
  return left;
}

}  // namespace detail

/// Weights that read a channel which is gone are gone, whatever their values.
template <class T, class Device> Remains remains(const NetworkBase<T, Device>& net) {
  const Graph& graph = net.graph();
  std::vector<T> values(net.parameter_storage());
  memory<Device>::download(values.data(), net.parameters(), values.size() * sizeof(T));
  Remains r{.channels = {}, .parameters = std::vector<char>(values.size(), 1)};
  for (const Node& n : graph.nodes) r.channels.emplace_back(std::size_t(n.out.c), char(1));
  for (const auto& group : graph.coupled_channels()) {
    const std::vector<char> left = detail::channels_left(graph, group, values);
    for (const int i : group)
      if (left.size() == r.channels[std::size_t(i)].size()) r.channels[std::size_t(i)] = left;
  }
  for (const NamedParameter& p : graph.parameters) {
    const Node& n = graph.nodes[std::size_t(p.node)];
    const bool matrix = n.kind == Kind::convolution || n.kind == Kind::linear;
    const auto& out = r.channels[std::size_t(p.node)];
    const int from = n.inputs.empty() ? -1 : n.inputs[0];
    for (std::size_t i = 0; i < p.count; ++i) {
      bool stays = !p.of_outputs() || out[i / (p.count / out.size())];
      if (matrix && p.kind == ParameterKind::weight) {
        const std::size_t row = p.count / std::size_t(n.out.c), in = std::size_t(n.in.c / n.groups);
        const std::size_t channel =
            i / row / std::size_t(n.out.c / n.groups) * in + i % row / (row / in);
        stays = stays && values[p.offset + i] != T(0) &&
                (from < 0 || r.channels[std::size_t(from)][channel]);
      }
      r.parameters[p.offset + i] = stays;
    }
  }
  return r;
}

}  // namespace rnx::inline RNX_ISA
