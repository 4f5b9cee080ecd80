// What pruning may take from a network: weights of its layers, or channels of its coupled groups.
#pragma once

#include "rnx/search/channel_group.hpp"

namespace rnx::inline RNX_ISA::search {

/// What goes, and how much of it. At least one weight of each layer, or one channel of each group,
/// stays.
struct Pruning {
  /// weights    of convolutions and linear layers, one by one
  /// channels   with all that runs over them: filters, biases and norms of the coupled group, and
  ///            the weights that read them
  enum class Unit : unsigned char { weights, channels } unit = Unit::weights;
  /// The share that goes, in [0, 1): one for all, or one for each that prunable() names.
  std::vector<double> ratios{};
  /// In the place of ratios: the multiply-accumulates that may stay. The smallest ratio, the same
  /// for all, is taken that keeps to them, and one step less (a weight or so, or a channel) for the
  /// layers for which that does, too.
  long long macs = 0;
  Patterns spared{};    ///< layers that stay whole; of channels: groups with such a layer
  bool global = false;  ///< weights: those of all layers are ranked together, by one ratio
  int norm = 1;         ///< channels: of what norm of their filters, 1 or 2, they are ranked by
};
namespace detail {

/// A layer, or a group of channels: what is ranked against each other.
struct Prunable {
  std::string name{};                                ///< of the layer; of the group's first
  std::size_t count = 0;                             ///< of weights, of channels
  const NamedParameter* weight = nullptr;            ///< of weights
  std::vector<std::vector<std::size_t>> channels{};  ///< flat positions of each channel
  std::vector<const NamedParameter*> filters{};      ///< of channels: what they are ranked by
};

inline bool has_weights(const Node& n) {
  return n.kind == Kind::convolution || n.kind == Kind::linear;
}
/// Flat positions of each of c channels of a group.
inline std::vector<std::vector<std::size_t>> positions_of(const Graph& graph,
                                                          const ChannelGroup& group, int c) {
  std::vector<std::vector<std::size_t>> list(static_cast<std::size_t>(c));
  group.each(graph.parameters, [&](const NamedParameter& p, std::size_t outer) {
    const std::size_t inner = p.count / (outer * list.size());
    for (std::size_t i = 0; i < p.count; ++i) list[i / inner % list.size()].push_back(p.offset + i);
  });
  return list;
}
/// Errors: UsageError (weights of few bits, choices of subnets, a spared layer that is not there).
inline void check_prunable(const Graph& graph, const Patterns& spared) {
  require<UsageError>(graph.slot_list.empty(), "prune: subnets of the network choose its channels");
  for (const Node& n : graph.nodes)
    require<UsageError>(!has_weights(n) || n.weight_bits == 32, [&] {
      return "prune: '" + n.path + "' has weights of " + std::to_string(n.weight_bits) +
             " bits, of which a zero need not be one; networks of full precision are pruned";
    });
  for (const std::string& glob : spared.globs)
    require<UsageError>(
        std::any_of(graph.nodes.begin(), graph.nodes.end(),
                    [&](const Node& n) { return has_weights(n) && matches(glob, n.path); }),
        [&] { return "prune: no convolution or linear layer is called '" + glob + "'"; });
}
inline std::vector<Prunable> prunable_weights(const Graph& graph, const Patterns& spared) {
  std::vector<Prunable> list;
  for (const NamedParameter& p : graph.parameters) {
    const Node& n = graph.nodes[std::size_t(p.node)];
    if (has_weights(n) && p.kind == ParameterKind::weight && !spared.match(n.path))
      list.push_back({.name = n.path, .count = p.count, .weight = &p});
  }
  return list;
}
/// Groups that permute_channels may permute, too: whose channels may be any.
inline std::vector<Prunable> prunable_channels(const Graph& graph, const Patterns& spared) {
  std::vector<Prunable> list;
  for (const auto& nodes : graph.coupled_channels()) {
    const ChannelGroup group(graph, nodes);
    const int c = graph.nodes[std::size_t(nodes[0])].out.c;
    Prunable unit{.count = std::size_t(c)};
    bool free = !group.ordered() && !group.holds_logits();
    for (const int i : nodes) {
      const Node& n = graph.nodes[std::size_t(i)];
      free = free && n.out.c == c && !(has_weights(n) && spared.match(n.path));
      if (has_weights(n) && unit.name.empty()) unit.name = n.path;
    }
    if (!free || unit.name.empty()) continue;
    for (const NamedParameter& p : graph.parameters)
      if (group.holds(p.node) && has_weights(graph.nodes[std::size_t(p.node)]) &&
          p.kind == ParameterKind::weight)
        unit.filters.push_back(&p);
    unit.channels = positions_of(graph, group, c);
    list.push_back(std::move(unit));
  }
  std::sort(list.begin(), list.end(), [](const Prunable& a, const Prunable& b) {
    return a.filters[0]->node < b.filters[0]->node;
  });
  return list;
}
inline std::vector<Prunable> prunable_units(const Graph& graph, const Pruning& o) {
  check_prunable(graph, o.spared);
  auto list = o.unit == Pruning::Unit::weights ? prunable_weights(graph, o.spared)
                                               : prunable_channels(graph, o.spared);
  require<UsageError>(!list.empty(),
                      "prune: the network has nothing to prune besides what is "
                      "spared");
  return list;
}

}  // namespace detail

/// The layers, or the first layer of each group of channels, that ratios are of, in graph order.
/// Left out are spared ones, the logits, and groups of which order matters (those of permute.hpp).
/// Errors: UsageError (nothing to prune; as prune).
inline std::vector<std::string> prunable(const Graph& graph, const Pruning& o) {
  std::vector<std::string> names;
  for (const detail::Prunable& unit : detail::prunable_units(graph, o)) names.push_back(unit.name);
  return names;
}

}  // namespace rnx::inline RNX_ISA::search
