// Permuting tied channels: the network computes the same. Sorting channels by importance before
// slicing is one use (Cai et al. 2020).
#pragma once

#include "rnx/search/active.hpp"

namespace rnx::inline RNX_ISA::search {

/// `values` of shape (outer, c, inner): channel j becomes old channel permutation[j].
template <class T>
std::vector<T> permuted(const std::vector<T>& values, std::size_t outer,
                        std::span<const int> permutation) {
  std::vector<T> out(values.size());
  const std::size_t c = permutation.size(), inner = values.size() / (outer * c);
  for (std::size_t a = 0; a < outer; ++a)
    for (std::size_t j = 0; j < c; ++j)
      std::copy_n(values.begin() + (a * c + permutation[j]) * inner, inner,
                  out.begin() + (a * c + j) * inner);
  return out;
}

/// Permutes one group of graph().coupled_channels(): outputs of its convolutions, norms, masks and
/// depthwise kernels, and the inputs of the layers that read it. Under a subnet logits stay only
/// where the permutation keeps the active channels together.
/// Throws UsageError when it is no permutation, when the group holds the logits, or where order
/// matters: a channel mask, a concatenation, a padded shortcut, a grouped convolution; ShapeError
/// when the group's channels are not as many.
template <class T, class Device>
void permute_channels(NetworkBase<T, Device>& net, const std::vector<int>& group,
                      std::span<const int> permutation) {
  const Graph& graph = net.graph();
  const int c = int(permutation.size()), nodes = int(graph.nodes.size());
  std::vector<char> seen(c), member(nodes), reads(nodes);
  for (int k : permutation) {
    require(k >= 0 && k < c && !seen[k], [&] {
      return "permute_channels: every channel 0 .. " + std::to_string(c - 1) +
             " must be there once, found " + std::to_string(k);
    });
    seen[k] = 1;
  }
  for (int i : group) member[i] = 1;
  // its outputs are channels of their own, tied to its inputs only by an addition
  const auto mixes = [](const Node& n) {
    return n.kind == Kind::linear || n.operation == "conv2d";
  };
  for (int i = 0; i < nodes; ++i)
    for (int in : graph.nodes[i].inputs)
      if (in >= 0 && member[in] && graph.nodes[i].kind != Kind::side &&
          (!member[i] || mixes(graph.nodes[i])))
        reads[i] = 1;
  for (int i = 0; i < nodes; ++i) {
    const Node& n = graph.nodes[i];
    if (!member[i] && !reads[i]) continue;
    const bool ordered = n.kind == Kind::mask || n.operation == "concat" ||
                         n.operation == "pad_shortcut" ||
                         (n.operation == "conv2d" && n.groups > 1) || holds_bits(n);
    require(!ordered, [&] {
      return "permute_channels: '" + n.path + "' (" + n.operation +
             ") depends on the order of channels";
    });
    require(!member[i] || i != nodes - 1, "permute_channels: the group holds the logits");
    const int found = member[i] && n.out.c != c ? n.out.c : reads[i] ? n.in.c : c;
    require<ShapeError>(found == c, [&] {
      return "permute_channels: '" + n.path + "' has " + std::to_string(found) + " channels, not " +
             std::to_string(c);
    });
  }
  for (const bool buffer : {false, true})
    for (const NamedParameter& p : buffer ? graph.buffers : graph.parameters) {
      if (p.count == 0) continue;
      if (member[p.node] && p.of_outputs())
        net.set(p.name, permuted(net.get(p.name).values, 1, permutation));
      const bool in_place = member[p.node] && p.channels == ChannelAxes::input &&
                            !mixes(graph.nodes[p.node]);  // depthwise: its inputs are its outputs
      if (in_place || (reads[p.node] && p.input_axis() >= 0))
        net.set(p.name, permuted(net.get(p.name).values,
                                 p.input_axis() == 1 ? std::size_t(p.shape[0]) : 1, permutation));
    }
}

}  // namespace rnx::inline RNX_ISA::search
