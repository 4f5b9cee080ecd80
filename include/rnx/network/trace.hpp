// A trace: the activations of one pass over up to `capacity` samples, in one planned arena.
// Clean, augmented, adversarial and teacher passes are several traces alive at once.
#pragma once

#include <memory>

#include "rnx/network/keep.hpp"
#include "rnx/network/packed.hpp"

namespace rnx::inline RNX_ISA {

template <class T, class Device> class NetworkBase;

template <class T, class Device = cpu>
class Trace {
 public:
  using Record = typename Pass<T, Device>::Record;

  Trace(const Graph& graph, TraceOptions options) : options_(std::move(options)), places_(graph.nodes.size()), records_(graph.nodes.size()) {
    require<UsageError>(options_.capacity > 0, "trace: the capacity must be at least one sample");
    if (tiled()) plan_logits(graph);
    else plan(graph);
  }

  int n() const { return n_; }
  int capacity() const { return options_.capacity; }
  Use use() const { return options_.use; }
  const Context& context() const { return context_; }
  /// (n, classes, 1, 1) of the last forward.
  View<const T, Device> logits() const { return records_.back().y; }
  /// Where a loss writes the gradient of the logits.
  View<T, Device> logits_gradient() const {
    require<StateError>(options_.use != Use::infer, "trace: built for inference, it has no gradients");
    const auto& y = records_.back().y;
    return {const_cast<T*>(arena_.data()) + places_.back().gradient, n_, y.dims, y.dims.c};
  }
  /// Every kept activation, in graph order.
  std::span<const Kept<T, Device>> activations() const { return kept_; }
  const Kept<T, Device>& activation(const std::string& path) const {
    for (const auto& a : kept_) if (a.path == path) return a;
    throw NameError("trace: '" + path + "' is not kept; name it in TraceOptions::keep");
  }
  const Kept<T, Device>& tagged(const void* tag) const {
    for (std::size_t i = 0; i < kept_.size(); ++i)
      if (std::find(kept_tags_[i].begin(), kept_tags_[i].end(), tag) != kept_tags_[i].end()) return kept_[i];
    throw NameError("trace: no kept activation has this tag; name it in TraceOptions::keep");
  }
  /// The kept output of Tap<Tag, ...>.
  template <class Tag> const Kept<T, Device>& tap() const { return tagged(&tag_id<Tag>); }
  /// Active sizes of every node in the last forward: what cost reads.
  std::span<const Record> records() const { return records_; }
  /// What a node saved for backward and readers: Gumbel draws, batch statistics. Null when it saves nothing.
  const T* saved(int node) const { return places_[node].saved == Placement::none ? nullptr : arena_.data() + places_[node].saved; }
  /// The gradient that readers of saved values write (differentiable costs).
  T* saved_seed(int node) { return places_[node].saved_seed == Placement::none ? nullptr : arena_.data() + places_[node].saved_seed; }

  /// Whether forward runs a few samples at a time, each thread on its own: activations stay in its cache. Nothing but logits is left then.
  bool tiled() const { return std::is_same_v<Device, cpu> && options_.tiled && options_.use == Use::infer && options_.eval_only && options_.keep.empty(); }
  /// Room for the traces of `count` threads.
  void lanes(int count) {
    if (int(lanes_.size()) < count) lanes_.resize(count);
  }
  /// The trace of one thread, of `capacity` samples, otherwise like this one; made when it is first asked for.
  Trace& lane(int thread, int capacity, const Graph& graph) {
    auto& lane = lanes_[thread];
    if (!lane || lane->capacity() < capacity) {
      TraceOptions options = options_;
      options.capacity = capacity, options.tiled = false;
      lane = std::make_unique<Trace>(graph, std::move(options));
    }
    return *lane;
  }

  /// Device memory for the values of a loss that are scaled or added: `capacity` elements, made when they are first asked for.
  T* loss_scratch() {
    if (!loss_scratch_.size()) loss_scratch_ = Buffer<T, Device>(std::size_t(options_.capacity));
    return loss_scratch_.data();
  }

  std::size_t bytes() const {
    std::size_t sum = (arena_.size() + loss_scratch_.size()) * sizeof(T);
    for (const auto& lane : lanes_) sum += lane ? lane->bytes() : 0;
    return sum;
  }
  /// Of the arena, what kept activations, reductions and seeds take.
  std::size_t kept_bytes() const { return kept_elements_ * sizeof(T); }

 private:
  friend class NetworkBase<T, Device>;

  /// When a node's memory is needed. Time runs forward over the nodes (0 .. k - 1), then backward (2 k - 1 - i for node i).
  struct Lives {
    const std::vector<Node>& nodes;
    const int k = int(nodes.size());
    std::vector<std::vector<int>> readers = std::vector<std::vector<int>>(k);
    std::vector<int> forward_end = std::vector<int>(k), backward_end = std::vector<int>(k);

    explicit Lives(const std::vector<Node>& n) : nodes(n) {
      for (int i = 0; i < k; ++i)
        for (int in : nodes[i].inputs) if (in >= 0) readers[in].push_back(i);
      // what a node reads stays until the chain that the node may be held back in has surely run (layers/chain.hpp)
      for (int i = k - 1; i >= 0; --i)
        forward_end[i] = nodes[i].chains && readers[i].size() == 1 && nodes[readers[i][0]].overwrites == 0 ? forward_end[readers[i][0]] : i;
      for (int i = 0; i < k; ++i) {
        const int from = nodes[i].inputs.empty() ? -1 : nodes[i].inputs[0];
        backward_end[i] = nodes[i].chains && from >= 0 && nodes[from].overwrites == 0 ? backward_end[from] : backward(i);
      }
    }
    int backward(int node) const { return 2 * k - 1 - node; }
    /// Until when a join's own buffers live: its branches are read until their first node has run.
    int block_end(int i) const {  // where depth is elastic, an earlier block may read the stage's gradient
      const int begin = nodes[i].block_first >= 0 ? nodes[i].block_first : i;
      return backward_end[nodes[i].early >= 0 ? std::min(nodes[i].early, begin) : begin];
    }
    /// The node that alone reads i's output and has memory of the same size, elementwise in it; or -1.
    int successor(int i) const {
      if (readers[i].size() != 1) return -1;
      const Node &from = nodes[i], &to = nodes[readers[i][0]];
      const bool plain = from.kind != Kind::choice && to.kind != Kind::choice && from.early < 0 && to.early < 0 && from.output_in < 0 && to.output_in < 0;
      return plain && from.out == to.out ? readers[i][0] : -1;
    }
  };

  void plan(const Graph& graph) {
    const auto& nodes = graph.nodes;
    const Lives lives(nodes);
    const int k = lives.k, end = 2 * k;
    const bool back = options_.use != Use::infer;
    const unsigned need = !back ? reads::none
                          : options_.use == Use::train ? reads::always
                          : options_.eval_only         ? reads::input_gradient_eval
                                                       : reads::input_gradient;
    const std::size_t n = std::size_t(options_.capacity);

    ArenaPlan arena;
    struct Wish { std::size_t Placement::*where; int node, block; };
    std::vector<Wish> wishes;
    const auto wish = [&](std::size_t Placement::*where, int node, std::size_t elements, int first, int last) {
      if (elements) wishes.push_back({where, node, arena.request(elements, first, last)});
    };
    struct Life { int first, last, host; };  // host: the node whose memory it is
    std::vector<Life> outputs(k), gradients(k);
    std::vector<int> needed(k, 0);  // until when others need the memory of a node's output
    for (int i = 0; i < k; ++i) {
      const Node& node = nodes[i];
      outputs[i] = gradients[i] = {0, -1, i};
      if (node.kind == Kind::choice) continue;
      const Keep* keep = nullptr;
      for (const Keep& rule : options_.keep) if (rule.applies(node)) keep = &rule;
      int last = std::max({i, needed[i], lives.forward_end[i]}), first_gradient = lives.backward(i);
      bool read_later = node.output_read & need;  // by a backward
      if (read_later) last = std::max(last, lives.backward_end[i]);
      if (node.early >= 0 && back) last = std::max(last, lives.backward_end[node.early]);  // it may be an earlier block's output, read there
      for (int j : lives.readers[i]) {
        const bool read = nodes[j].input_read & need;
        read_later |= read;
        last = std::max(last, read ? lives.backward_end[j] : lives.forward_end[j]);
        first_gradient = std::min(first_gradient, lives.backward(j));
      }
      if (i == k - 1) last = end, first_gradient = k - 1;  // the logits are the last tap
      if (keep) {
        if (keep->attention) {
          kept_elements_ += n * node.out.pixels() * (1 + keep->seed);
          wish(&Placement::reduced, i, n * node.out.pixels(), i, end);
          if (keep->seed) {
            require<UsageError>(back, "trace: seeds need a trace that runs backward");
            last = std::max(last, lives.backward(i));
            wish(&Placement::seed, i, n * node.out.pixels(), 0, end);
            wish(&Placement::seed_full, i, n * node.out.count(), lives.backward(i), std::max(lives.backward_end[i], lives.block_end(i)));
          }
        } else {
          last = end;
          kept_elements_ += n * node.out.count() * (1 + keep->seed);
          if (keep->seed) {
            require<UsageError>(back, "trace: seeds need a trace that runs backward");
            wish(&Placement::seed, i, n * node.out.count(), 0, end);
          }
        }
        kept_.push_back({node.path, node.kind, i, {}, {}, false});
        kept_tags_.push_back(node.tags);
        strides_.push_back(node.out.c);
        attention_.push_back(keep->attention);
      }
      if (node.output_in >= 0) needed[node.output_in] = std::max(needed[node.output_in], last);
      outputs[i].first = node.early >= 0 ? std::min(node.early, i) : i, outputs[i].last = last;
      if (const int j = lives.successor(i); j >= 0 && node.own_output && !keep && !read_later && nodes[j].own_output && nodes[j].overwrites >= 0 && nodes[j].inputs[nodes[j].overwrites] == i)
        outputs[i].host = j;
      wish(&Placement::work_forward, i, n * node.work_forward, i, lives.forward_end[i]);
      wish(&Placement::saved, i, n * node.saved + node.saved_fixed, i, end);
      if (!back) continue;
      gradients[i].first = first_gradient, gradients[i].last = lives.block_end(i);
      if (const int j = lives.successor(i); j >= 0 && node.own_gradient && nodes[j].own_gradient && nodes[j].gradient_in_place && j != k - 1) gradients[i].host = j;
      wish(&Placement::work_backward, i, n * node.work_backward + node.work_fixed, lives.backward(i), lives.backward_end[i]);
      wish(&Placement::branch, i, n * node.branch, lives.backward(i), lives.block_end(i));
      if (node.kind == Kind::mask) wish(&Placement::saved_seed, i, node.saved_fixed, 0, end);
    }
    const auto place = [&](std::vector<Life>& lives_of, std::size_t Placement::*where, bool Node::*own) {  // hosts come later than their guests
      for (int i = 0; i < k; ++i)
        if (Life &life = lives_of[i], &host = lives_of[life.host]; life.last >= 0)
          host.first = std::min(host.first, life.first), host.last = std::max(host.last, life.last);
      for (int i = 0; i < k; ++i)
        if (lives_of[i].host == i && lives_of[i].last >= 0 && nodes[i].*own) wish(where, i, n * nodes[i].out.count(), lives_of[i].first, lives_of[i].last);
    };
    place(outputs, &Placement::output, &Node::own_output);
    place(gradients, &Placement::gradient, &Node::own_gradient);
    arena_ = Buffer<T, Device>(arena.place());
    for (const Wish& w : wishes) places_[w.node].*w.where = arena.offset(w.block);
    for (int i = k - 1; i >= 0; --i) {
      if (outputs[i].host != i) places_[i].output = places_[outputs[i].host].output;
      if (gradients[i].host != i) places_[i].gradient = places_[gradients[i].host].gradient;
    }
  }

  void plan_logits(const Graph& graph) {
    arena_ = Buffer<T, Device>(std::size_t(options_.capacity) * graph.nodes.back().out.count());
    places_.back().output = 0;
  }

  void refresh_kept(Stream stream) {
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      auto& a = kept_[i];
      const Record& r = records_[a.node];
      const Placement& p = places_[a.node];
      a.active = r.y.n > 0;
      const Dims d = a.active ? r.y.dims : Dims{0, 0, 0};
      if (attention_[i]) a.value = {arena_.data() + p.reduced, n_, {1, d.h, d.w}, 1};
      else a.value = r.y;
      if (p.seed == Placement::none) continue;
      a.seed = attention_[i] ? View<T, Device>{arena_.data() + p.seed, n_, {1, d.h, d.w}, 1} : View<T, Device>{arena_.data() + p.seed, n_, d, strides_[i]};
      memory<Device>::zero(a.seed.data, a.seed.n * a.seed.sample_stride() * sizeof(T), stream);
    }
  }

  TraceOptions options_;
  std::vector<Placement> places_;
  std::vector<Record> records_;
  std::vector<Kept<T, Device>> kept_;
  std::vector<std::vector<const void*>> kept_tags_;
  std::vector<char> attention_;
  std::vector<int> strides_;
  Buffer<T, Device> arena_, loss_scratch_;
  std::size_t kept_elements_ = 0;
  std::vector<std::unique_ptr<Trace>> lanes_;

  // of the last forward
  int n_ = 0;
  bool pending_ = false;  // a forward whose backward has not run: backward reuses the arena as it goes
  Context context_{};
  PackedLease<T, Device> packed_;
  std::uint64_t parameter_version_ = 0;
  View<const T, Device> input_{};
};

}  // namespace rnx::inline RNX_ISA
