// Permuting tied channels: the network computes the same. Sorting channels by importance before
// slicing is one use (Cai et al. 2020).
#pragma once

#include "rnx/search/active.hpp"
#include "rnx/search/channel_group.hpp"

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
  const ChannelGroup tied(graph, group);
  const int c = int(permutation.size()), nodes = int(graph.nodes.size());
  std::vector<char> seen(c);
  for (int k : permutation) {
    require(k >= 0 && k < c && !seen[k], [&] {
      return "permute_channels: every channel 0 .. " + std::to_string(c - 1) +
             " must be there once, found " + std::to_string(k);
    });
    seen[k] = 1;
  }
  const Node* const ordered = tied.ordered();
  require(!ordered, [&] {
    return "permute_channels: '" + ordered->path + "' (" + ordered->operation +
           ") depends on the order of channels";
  });
  require(!tied.holds_logits(), "permute_channels: the group holds the logits");
  for (int i = 0; i < nodes; ++i) {
    const Node& n = graph.nodes[i];
    const int found = tied.holds(i) && n.out.c != c ? n.out.c : tied.is_read_by(i) ? n.in.c : c;
    require<ShapeError>(found == c, [&] {
      return "permute_channels: '" + n.path + "' has " + std::to_string(found) + " channels, not " +
             std::to_string(c);
    });
  }
  for (const auto* list : {&graph.parameters, &graph.buffers})
    tied.each(*list, [&](const NamedParameter& p, std::size_t outer) {
      net.set(p.name, permuted(net.get(p.name).values, outer, permutation));
    });
}

}  // namespace rnx::inline RNX_ISA::search
