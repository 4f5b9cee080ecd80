// Channels that are tied to each other, and every parameter that runs over them: what permutes or
// prunes one group treats all of them alike.
#pragma once

#include "rnx/network.hpp"

namespace rnx::inline RNX_ISA::search {

/// One group of graph().coupled_channels(), and the layers that read it.
class ChannelGroup {
 public:
  ChannelGroup(const Graph& graph, const std::vector<int>& group)
      : graph_(&graph),
        member_(graph.nodes.size()),
        reads_(graph.nodes.size()) {
    for (const int i : group) member_[std::size_t(i)] = 1;
    for (std::size_t i = 0; i < graph.nodes.size(); ++i)
      for (const int in : graph.nodes[i].inputs)
        if (in >= 0 && member_[std::size_t(in)] && graph.nodes[i].kind != Kind::side &&
            (!member_[i] || mixes(graph.nodes[i])))
          reads_[i] = 1;
  }

  bool holds(int node) const { return member_[std::size_t(node)]; }
  bool is_read_by(int node) const { return reads_[std::size_t(node)]; }
  bool holds_logits() const { return member_.back(); }
  /// The first of its layers, and of those that read it, that depends on the order of its channels;
  /// null: none does.
  const Node* ordered() const {
    for (std::size_t i = 0; i < graph_->nodes.size(); ++i) {
      const Node& n = graph_->nodes[i];
      if ((member_[i] || reads_[i]) &&
          (n.kind == Kind::mask || n.operation == "concat" || n.operation == "pad_shortcut" ||
           (n.operation == "conv2d" && n.groups > 1) || holds_bits(n)))
        return &n;
    }
    return nullptr;
  }
  /// f(p, outer) for each parameter, or buffer, whose elements (outer, channel, ...) run over the
  /// group's channels.
  template <class F> void each(const std::vector<NamedParameter>& parameters, F f) const {
    for (const NamedParameter& p : parameters) {
      if (p.count == 0) continue;
      if (holds(p.node) && p.of_outputs()) f(p, std::size_t(1));
      const bool in_place =
          holds(p.node) && p.channels == ChannelAxes::input &&
          !mixes(graph_->nodes[std::size_t(p.node)]);  // depthwise: its inputs are its outputs
      if (in_place || (is_read_by(p.node) && p.input_axis() >= 0))
        f(p, p.input_axis() == 1 ? std::size_t(p.shape[0]) : std::size_t(1));
    }
  }

 private:
  /// Its outputs are channels of their own, tied to its inputs only by an addition.
  static bool mixes(const Node& n) { return n.kind == Kind::linear || n.operation == "conv2d"; }

  const Graph* graph_;
  std::vector<char> member_, reads_;  // by node
};

}  // namespace rnx::inline RNX_ISA::search
