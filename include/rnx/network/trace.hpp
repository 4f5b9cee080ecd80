// A trace: the activations of one pass over up to `capacity` samples, in one planned arena.
// Clean, augmented, adversarial and teacher passes are several traces alive at once.
#pragma once

#include "rnx/network/keep.hpp"

namespace rnx::inline RNX_ISA {

template <class T, class Device> class NetworkBase;

template <class T, class Device = cpu>
class Trace {
 public:
  using Record = typename Pass<T, Device>::Record;

  Trace(const Graph& graph, TraceOptions options) : options_(std::move(options)), places_(graph.nodes.size()), records_(graph.nodes.size()) {
    require<UsageError>(options_.capacity > 0, "trace: the capacity must be at least one sample");
    plan(graph);
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

  std::size_t bytes() const { return arena_.size() * sizeof(T); }
  /// Of the arena, what kept activations, reductions and seeds take.
  std::size_t kept_bytes() const { return kept_elements_ * sizeof(T); }

 private:
  friend class NetworkBase<T, Device>;

  /// Time runs forward over the nodes (0 .. k - 1), then backward (2 k - 1 - i for node i).
  void plan(const Graph& graph) {
    const auto& nodes = graph.nodes;
    const int k = int(nodes.size()), end = 2 * k;
    const bool back = options_.use != Use::infer;
    const unsigned need = !back ? reads::none
                          : options_.use == Use::train ? reads::always
                          : options_.eval_only         ? reads::input_gradient_eval
                                                       : reads::input_gradient;
    const std::size_t n = std::size_t(options_.capacity);
    const auto backward_time = [&](int node) { return 2 * k - 1 - node; };
    const auto block_end = [&](int i) {  // where depth is elastic, an earlier block may read the stage's gradient
      const int begin = nodes[i].block_first >= 0 ? nodes[i].block_first : i;
      return backward_time(nodes[i].early >= 0 ? std::min(nodes[i].early, begin) : begin);
    };

    ArenaPlan arena;
    struct Wish { std::size_t Placement::*where; int node, block; };
    std::vector<Wish> wishes;
    const auto wish = [&](std::size_t Placement::*where, int node, std::size_t elements, int first, int last) {
      if (elements) wishes.push_back({where, node, arena.request(elements, first, last)});
    };
    std::vector<int> needed(k, 0);  // until when others need the memory of a node's output
    for (int i = 0; i < k; ++i) {
      const Node& node = nodes[i];
      if (node.kind == Kind::choice) continue;
      const Keep* keep = nullptr;
      for (const Keep& rule : options_.keep) if (rule.applies(node)) keep = &rule;
      int last = std::max(i, needed[i]), first_gradient = backward_time(i);
      if (node.output_read & need) last = std::max(last, backward_time(i));
      if (node.early >= 0 && back) last = std::max(last, backward_time(node.early));  // it may be an earlier block's output, read there
      for (int j = i + 1; j < k; ++j)
        for (int in : nodes[j].inputs) {
          if (in != i) continue;
          last = std::max(last, nodes[j].input_read & need ? backward_time(j) : j);
          first_gradient = std::min(first_gradient, backward_time(j));
        }
      if (i == k - 1) last = end, first_gradient = k - 1;  // the logits are the last tap
      if (keep) {
        if (keep->attention) {
          kept_elements_ += n * node.out.pixels() * (1 + keep->seed);
          wish(&Placement::reduced, i, n * node.out.pixels(), i, end);
          if (keep->seed) {
            require<UsageError>(back, "trace: seeds need a trace that runs backward");
            last = std::max(last, backward_time(i));
            wish(&Placement::seed, i, n * node.out.pixels(), 0, end);
            wish(&Placement::seed_full, i, n * node.out.count(), backward_time(i), std::max(backward_time(i), block_end(i)));
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
      if (node.own_output) wish(&Placement::output, i, n * node.out.count(), node.early >= 0 ? std::min(node.early, i) : i, last);
      wish(&Placement::work_forward, i, n * node.work_forward, i, i);
      wish(&Placement::saved, i, n * node.saved + node.saved_fixed, i, end);
      if (!back) continue;
      if (node.own_gradient) wish(&Placement::gradient, i, n * node.out.count(), first_gradient, block_end(i));
      wish(&Placement::work_backward, i, n * node.work_backward + node.work_fixed, backward_time(i), backward_time(i));
      wish(&Placement::branch, i, n * node.branch, backward_time(i), block_end(i));
      if (node.kind == Kind::mask) wish(&Placement::saved_seed, i, node.saved_fixed, 0, end);
    }
    arena_ = Buffer<T, Device>(arena.place());
    for (const Wish& w : wishes) places_[w.node].*w.where = arena.offset(w.block);
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
  Buffer<T, Device> arena_;
  std::size_t kept_elements_ = 0;

  // of the last forward
  int n_ = 0;
  bool pending_ = false;  // a forward whose backward has not run: backward reuses the arena as it goes
  Context context_{};
  std::shared_ptr<Buffer<T, Device>> packed_;
  std::uint64_t parameter_version_ = 0;
  View<const T, Device> input_{};
};

}  // namespace rnx::inline RNX_ISA
