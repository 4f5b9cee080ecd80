// The plan of a trace: when each node's memory is needed, who shares it, and where it lies in the
// arena.
//
// Time runs forward over the nodes, 0 .. k - 1, then backward, 2 k - 1 - i for node i; 2 k is when
// the caller reads. A block of the arena is alive from its first time to its last; blocks alive
// together never overlap (tensor/arena.hpp). What backward reads is said by the nodes themselves
// (`reads::` in layers/node.hpp).
#pragma once

#include "rnx/network/keep.hpp"

namespace rnx::inline RNX_ABI {

/// An activation that a trace keeps.
struct KeptNode {
  int node = 0;
  bool attention = false;  ///< only its attention map
};

/// Where a trace keeps everything, in elements of its arena.
struct TracePlan {
  std::vector<Placement> places;  ///< one per node
  std::vector<KeptNode> kept;     ///< in graph order
  std::size_t elements = 0;       ///< of the arena
  std::size_t kept_elements = 0;  ///< of kept activations, attention maps and seeds
};

/// When the nodes of a graph run, and until when what they read must stay.
class Timeline {
 public:
  explicit Timeline(const std::vector<Node>& nodes)
      : nodes_(nodes),
        readers_(nodes.size()),
        forward_end_(nodes.size()),
        backward_end_(nodes.size()) {
    for (int i = 0; i < size(); ++i)
      for (int in : nodes[i].inputs)
        if (in >= 0) readers_[in].push_back(i);
    for (int i = size() - 1; i >= 0; --i) {
      // the first reader's operation may be taken into i's, whoever reads i's output later
      const bool held_back = nodes[i].fusible && !readers_[i].empty() &&
                             nodes[readers_[i][0]].aliasing.overwrites == 0;
      const bool into_signs =
          nodes[i].fusible && !readers_[i].empty() && nodes[readers_[i][0]].binarizes;
      forward_end_[i] = held_back ? forward_end_[readers_[i][0]] : into_signs ? readers_[i][0] : i;
    }
    for (int i = 0; i < size(); ++i) {
      const int from = nodes[i].inputs.empty() ? -1 : nodes[i].inputs[0];
      const bool held_back = nodes[i].fusible && from >= 0 && nodes[from].aliasing.overwrites == 0;
      backward_end_[i] = held_back ? backward_end_[from] : backward(i);
    }
  }

  int size() const { return int(nodes_.size()); }
  int end() const { return 2 * size(); }
  int backward(int node) const { return 2 * size() - 1 - node; }
  /// When the fused operations that a node may be held back in have surely run (layers/fusion.hpp).
  int forward_end(int node) const { return forward_end_[node]; }
  int backward_end(int node) const { return backward_end_[node]; }
  const std::vector<int>& readers(int node) const { return readers_[node]; }

  /// Until when a join's own buffers live: its branches are read until their first node has run.
  /// Where depth is elastic, an earlier block may read the stage's gradient.
  int block_end(int i) const {
    const Aliasing& join = nodes_[i].aliasing;
    const int begin = join.block_first >= 0 ? join.block_first : i;
    return backward_end_[join.early >= 0 ? std::min(join.early, begin) : begin];
  }
  /// The node that alone reads i's output and whose memory has the same size, elementwise in it; or
  /// -1.
  int successor(int i) const {
    if (readers_[i].size() != 1) return -1;
    const int reader = readers_[i][0];
    const auto plain = [](const Node& n) {
      return n.kind != Kind::choice && n.aliasing.early < 0 && n.aliasing.output_in < 0;
    };
    const bool fits =
        plain(nodes_[i]) && plain(nodes_[reader]) && nodes_[i].out == nodes_[reader].out;
    return fits ? reader : -1;
  }

 private:
  const std::vector<Node>& nodes_;
  std::vector<std::vector<int>> readers_;
  std::vector<int> forward_end_, backward_end_;
};

/// Plans one trace. run() is called once.
class TracePlanner {
 public:
  TracePlanner(const Graph& graph, const TraceOptions& options)
      : nodes_(graph.nodes),
        options_(options),
        time_(nodes_),
        capacity_(std::size_t(options.capacity)),
        outputs_(nodes_.size()),
        gradients_(nodes_.size()),
        needed_(nodes_.size(), 0) {
    plan_.places.resize(nodes_.size());
  }

  /// Throws UsageError where a seed is to be kept in a trace that runs no backward.
  TracePlan run() {
    for (int i = 0; i < time_.size(); ++i) {
      outputs_[i].owner = gradients_[i].owner = i;
      if (nodes_[i].kind == Kind::choice) continue;
      const Keep* keep = options_.rule_of(nodes_[i]);
      if (keep) plan_kept(i, *keep);
      plan_output(i, keep);
      plan_scratch(i);
      if (runs_backward()) plan_gradient(i);
    }
    for (int i = 0; i < time_.size(); ++i) plan_.places[i].reads_alone = reads_alone(i);
    request_maps(outputs_, &Placement::output, &Aliasing::own_output);
    request_maps(gradients_, &Placement::gradient, &Aliasing::own_gradient);
    place();
    return std::move(plan_);
  }

 private:
  /// The life of a node's output or gradient. owner: the node whose memory it takes; itself, or a
  /// later one.
  struct Life {
    int first = 0;
    int last = -1;
    int owner = 0;
  };
  struct Request {
    std::size_t Placement::*where;
    int node;
    int block;
  };

  bool runs_backward() const { return options_.use != Use::infer; }
  /// What of `reads::` this trace's backward needs.
  unsigned needs() const {
    switch (options_.use) {
      case Use::infer: return reads::none;
      case Use::train: return reads::always;
      default: return options_.eval_only ? reads::input_gradient_eval : reads::input_gradient;
    }
  }
  void request(std::size_t Placement::*where, int node, std::size_t elements, int first, int last) {
    if (elements) requests_.push_back({where, node, arena_.request(elements, first, last)});
  }

  void plan_kept(int i, const Keep& keep) {
    const Dims out = nodes_[i].out;
    const std::size_t elements =
        capacity_ * (keep.attention ? std::size_t(out.pixels()) : out.count());
    if (keep.attention) request(&Placement::reduced, i, elements, i, time_.end());
    if (keep.seed) request(&Placement::seed, i, elements, 0, time_.end());
    if (keep.seed && keep.attention) {
      const int last = std::max(time_.backward_end(i), time_.block_end(i));
      request(&Placement::seed_full, i, capacity_ * out.count(), time_.backward(i), last);
    }
    plan_.kept_elements += elements * (1 + keep.seed);
    plan_.kept.push_back({.node = i, .attention = keep.attention});
  }

  /// Until when an output is read: by the nodes behind it, by backward, by those who keep it.
  void plan_output(int i, const Keep* keep) {
    const Node& node = nodes_[i];
    const int early = node.aliasing.early, outer = node.aliasing.output_in;
    int last = std::max({i, needed_[i], time_.forward_end(i)});
    bool read_backward = node.reads.output & needs();
    if (read_backward) last = std::max(last, time_.backward_end(i));
    // it may be an earlier block's output, read there
    if (early >= 0 && runs_backward()) last = std::max(last, time_.backward_end(early));
    for (int reader : time_.readers(i)) {
      const bool reads_backward = nodes_[reader].reads.input & needs();
      read_backward |= reads_backward;
      last =
          std::max(last, reads_backward ? time_.backward_end(reader) : time_.forward_end(reader));
    }
    if (i == time_.size() - 1) last = time_.end();  // the logits are the last tap
    if (keep && !keep->attention) last = time_.end();
    if (keep && keep->attention && keep->seed) last = std::max(last, time_.backward(i));
    if (options_.repeat_backward && last >= time_.size()) last = time_.end();
    if (outer >= 0) needed_[outer] = std::max(needed_[outer], last);
    outputs_[i].first = early >= 0 ? std::min(early, i) : i;
    outputs_[i].last = last;
    if (!keep && !read_backward && overwritten(i)) outputs_[i].owner = time_.successor(i);
  }
  /// Whether the only reader of a node's output may write its own there.
  bool overwritten(int i) const {
    const int reader = time_.successor(i);
    if (reader < 0 || !nodes_[i].aliasing.own_output) return false;
    const Node& next = nodes_[reader];
    const int overwritten = next.aliasing.overwrites;
    return next.aliasing.own_output && overwritten >= 0 && next.inputs[overwritten] == i;
  }

  /// Whether nobody but a node reads its input, now or later, and the input lies in no other's
  /// memory.
  bool reads_alone(int i) const {
    const int from = nodes_[i].inputs.empty() ? -1 : nodes_[i].inputs[0];
    if (from < 0 || runs_backward() || time_.readers(from).size() != 1) return false;
    const Aliasing& input = nodes_[from].aliasing;
    return !options_.rule_of(nodes_[from]) && input.own_output && input.output_in < 0 &&
           input.early < 0;
  }

  void plan_scratch(int i) {
    const Node& node = nodes_[i];
    request(&Placement::work_forward, i, capacity_ * node.scratch.forward, i, time_.forward_end(i));
    request(&Placement::saved, i, capacity_ * node.scratch.saved + node.scratch.saved_fixed, i,
            time_.end());
  }

  void plan_gradient(int i) {
    const Node& node = nodes_[i];
    const int begin = time_.backward(i);
    int first = begin;
    for (int reader : time_.readers(i)) first = std::min(first, time_.backward(reader));
    if (i == time_.size() - 1) first = i;  // a loss writes it
    gradients_[i].first = first;
    gradients_[i].last = time_.block_end(i);
    const int reader = time_.successor(i);
    const bool in_place =
        reader >= 0 && reader != time_.size() - 1 && nodes_[reader].aliasing.gradient_in_place;
    if (in_place && node.aliasing.own_gradient && nodes_[reader].aliasing.own_gradient)
      gradients_[i].owner = reader;
    const std::size_t work = capacity_ * node.scratch.backward + node.scratch.backward_fixed;
    request(&Placement::work_backward, i, work, begin, time_.backward_end(i));
    request(&Placement::branch, i, capacity_ * node.scratch.branch, begin, time_.block_end(i));
    if (node.kind == Kind::mask)
      request(&Placement::saved_seed, i, node.scratch.saved_fixed, 0, time_.end());
  }

  /// Memory for the owners, alive as long as one of those who share it. Owners stand behind their
  /// guests.
  void request_maps(std::vector<Life>& lives, std::size_t Placement::*where, bool Aliasing::*own) {
    for (const Life& life : lives) {
      if (life.last < 0) continue;
      Life& owner = lives[life.owner];
      owner.first = std::min(owner.first, life.first);
      owner.last = std::max(owner.last, life.last);
    }
    for (int i = 0; i < time_.size(); ++i) {
      const Life& life = lives[i];
      if (life.owner != i || life.last < 0 || !(nodes_[i].aliasing.*own)) continue;
      request(where, i, capacity_ * nodes_[i].out.count(), life.first, life.last);
    }
  }

  void place() {
    plan_.elements = arena_.place();
    for (const Request& r : requests_) plan_.places[r.node].*r.where = arena_.offset(r.block);
    for (int i = time_.size() - 1; i >= 0; --i) {
      if (outputs_[i].owner != i) plan_.places[i].output = plan_.places[outputs_[i].owner].output;
      if (gradients_[i].owner != i)
        plan_.places[i].gradient = plan_.places[gradients_[i].owner].gradient;
    }
  }

  const std::vector<Node>& nodes_;
  const TraceOptions& options_;
  Timeline time_;
  std::size_t capacity_;
  std::vector<Life> outputs_, gradients_;
  std::vector<int> needed_;  ///< until when others need the memory of a node's output
  ArenaPlan arena_;
  std::vector<Request> requests_;
  TracePlan plan_;
};

/// The plan of a trace whose passes run in traces of a few samples: the logits of all samples, and
/// what is kept of them. Throws UsageError where a seed is to be kept.
inline TracePlan plan_tiles(const Graph& graph, const TraceOptions& options) {
  TracePlan plan;
  plan.places.resize(graph.nodes.size());
  const auto request = [&](std::size_t of_sample) {
    const std::size_t at = plan.elements;
    plan.elements += round_up(std::size_t(options.capacity) * of_sample, 16);
    return at;
  };
  plan.places.back().output = request(graph.nodes.back().out.count());
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    const Keep* keep = options.rule_of(node);
    if (!keep) continue;
    Placement& place = plan.places[i];
    const std::size_t of_sample =
        keep->attention ? std::size_t(node.out.pixels()) : node.out.count();
    if (keep->attention)
      place.reduced = request(of_sample);
    else if (place.output == Placement::none)  // the logits are there
      place.output = request(of_sample);
    plan.kept_elements += std::size_t(options.capacity) * of_sample;
    plan.kept.push_back({.node = int(i), .attention = keep->attention});
  }
  return plan;
}

}  // namespace rnx::inline RNX_ABI
