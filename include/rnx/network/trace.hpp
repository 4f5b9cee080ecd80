// A trace: the activations of one pass over up to `capacity` samples, in one planned arena.
// Clean, augmented, adversarial and teacher passes are several traces alive at once.
#pragma once

#include <memory>

#include "rnx/network/prepared.hpp"
#include "rnx/network/plan.hpp"

namespace rnx::inline RNX_ISA {

template <class T, class Device> class NetworkBase;

/// Samples that went forward and backward, counted where it happens. A recording that is replayed
/// counts once.
struct Passes {
  long forwards = 0, backwards = 0;
  Passes& operator+=(const Passes& o) {
    forwards += o.forwards;
    backwards += o.backwards;
    return *this;
  }
  friend Passes operator+(Passes a, const Passes& b) { return a += b; }
  friend Passes operator-(const Passes& a, const Passes& b) {
    return {a.forwards - b.forwards, a.backwards - b.backwards};
  }
  friend bool operator==(const Passes&, const Passes&) = default;
};

template <class T = float, class Device = default_device> class Trace {
 public:
  using Record = typename Pass<T, Device>::Record;

  Trace(const Graph& graph, TraceOptions options)
      : options_(std::move(options)),
        records_(graph.nodes.size()) {
    require<UsageError>(options_.capacity > 0, "trace: the capacity must be at least one sample");
    take(tiled() ? plan_tiles(graph, options_) : TracePlanner(graph, options_).run(), graph);
  }

  int n() const { return n_; }
  int capacity() const { return options_.capacity; }
  Use use() const { return options_.use; }
  const Context& context() const { return context_; }
  /// (n, classes, 1, 1) of the last forward.
  View<const T, Device> logits() const { return records_.back().y; }
  /// Where a loss writes the gradient of the logits.
  View<T, Device> logits_gradient() const {
    require<StateError>(options_.use != Use::infer,
                        "trace: built for inference, it has no gradients");
    const auto& y = records_.back().y;
    return {const_cast<T*>(arena_.data()) + places_.back().gradient, n_, y.dims, y.dims.c};
  }
  /// Every kept activation, in graph order.
  std::span<const Kept<T, Device>> activations() const { return kept_; }
  const Kept<T, Device>& activation(const std::string& path) const {
    for (const auto& a : kept_)
      if (a.path == path) return a;
    throw NameError("trace: '" + path + "' is not kept; name it in TraceOptions::keep");
  }
  const Kept<T, Device>& tagged(const void* tag) const {
    for (std::size_t i = 0; i < kept_.size(); ++i)
      if (std::find(kept_tags_[i].begin(), kept_tags_[i].end(), tag) != kept_tags_[i].end())
        return kept_[i];
    throw NameError("trace: no kept activation has this tag; name it in TraceOptions::keep");
  }
  /// The kept output of Tap<Tag, ...>.
  template <class Tag> const Kept<T, Device>& tap() const { return tagged(&tag_id<Tag>); }
  /// Active sizes of every node in the last forward: what cost reads. Throws StateError where it
  /// ran in tiles.
  std::span<const Record> records() const {
    require<StateError>(!tiled(),
                        "trace: it runs in tiles and has no record of every layer; make it with "
                        "TraceOptions::tiled = false");
    return records_;
  }
  /// What a node saved for backward and readers: Gumbel draws, batch statistics. Null when it saves
  /// nothing.
  const T* saved(int node) const {
    return places_[node].saved == Placement::none ? nullptr : arena_.data() + places_[node].saved;
  }
  /// The gradient that readers of saved values write (differentiable costs).
  T* saved_seed(int node) {
    return places_[node].saved_seed == Placement::none ? nullptr
                                                       : arena_.data() + places_[node].saved_seed;
  }

  /// Whether forward runs a few samples at a time, each thread on its own: activations stay in its
  /// cache. Logits and kept activations are left then, and no other record.
  bool tiled() const {
    return std::is_same_v<Device, cpu> && options_.tiled && options_.use == Use::infer &&
           options_.eval_only;
  }
  /// Room for the traces of `count` threads.
  void lanes(int count) {
    if (int(lanes_.size()) < count) lanes_.resize(count);
  }
  /// The trace of one thread, of `capacity` samples, otherwise like this one; made when it is first
  /// asked for.
  Trace& lane(int thread, int capacity, const Graph& graph) {
    auto& lane = lanes_[thread];
    if (!lane || lane->capacity() < capacity) {
      TraceOptions options = options_;
      options.capacity = capacity;
      options.tiled = false;
      lane = std::make_unique<Trace>(graph, std::move(options));
    }
    return *lane;
  }

  /// Device memory for the values of a loss that are scaled or added: `capacity` elements, made
  /// when they are first asked for.
  T* loss_scratch() {
    if (!loss_scratch_.size()) loss_scratch_ = Buffer<T, Device>(std::size_t(options_.capacity));
    return loss_scratch_.data();
  }

  /// What ran in this trace and its lanes since it was made.
  Passes passes() const {
    Passes sum = passes_;
    for (const auto& lane : lanes_)
      if (lane) sum += lane->passes();
    return sum;
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

  void take(TracePlan plan, const Graph& graph) {
    arena_ = Buffer<T, Device>(plan.elements);
    places_ = std::move(plan.places);
    kept_elements_ = plan.kept_elements;
    kept_nodes_ = std::move(plan.kept);
    for (const KeptNode& k : kept_nodes_) {
      const Node& node = graph.nodes[k.node];
      kept_.push_back({.path = node.path, .kind = node.kind, .node = k.node});
      kept_tags_.push_back(node.tags);
      strides_.push_back(node.out.c);
    }
  }

  /// Copies what the forward of a tile kept to the samples from `first` on of the n of the batch.
  void gather(const Trace& tile, int first, int n) {
    if (first == 0) record_kept(tile, n);
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      const Kept<T, Device>& from = tile.kept_[i];
      if (!from.active) continue;
      const Placement& place = places_[from.node];
      const bool attention = kept_nodes_[i].attention;
      const View<T, Device> all{arena_.data() + (attention ? place.reduced : place.output),
                                options_.capacity, from.value.dims, attention ? 1 : strides_[i]};
      run<Device>({tile.context_.stream},
                  op::copy<T>{.from = from.value, .to = all.samples(first, from.value.n)});
    }
  }
  /// Which kept layers ran, with how many channels: all tiles say the same.
  void record_kept(const Trace& tile, int n) {
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      const int node = kept_[i].node;
      View<T, Device>& y = records_[node].y;
      y = tile.records_[node].y;
      if (y.n == 0) continue;
      y = {kept_nodes_[i].attention ? nullptr : arena_.data() + places_[node].output, n, y.dims,
           strides_[i]};
    }
  }

  /// After a forward: where kept activations lie now, and their seeds zeroed.
  void refresh_kept(Stream stream) {
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      Kept<T, Device>& kept = kept_[i];
      const Record& record = records_[kept.node];
      const Placement& place = places_[kept.node];
      const bool attention = kept_nodes_[i].attention;
      kept.active = record.y.n > 0;
      const Dims d = kept.active ? record.y.dims : Dims{0, 0, 0};
      const Dims map{1, d.h, d.w};
      if (attention)
        kept.value = {arena_.data() + place.reduced, n_, map, 1};
      else
        kept.value = record.y;
      if (place.seed == Placement::none) continue;
      T* seed = arena_.data() + place.seed;
      kept.seed =
          attention ? View<T, Device>{seed, n_, map, 1} : View<T, Device>{seed, n_, d, strides_[i]};
      memory<Device>::zero(seed, kept.seed.n * kept.seed.sample_stride() * sizeof(T), stream);
    }
  }

  TraceOptions options_;
  std::vector<Placement> places_;
  std::vector<Record> records_;
  std::vector<Kept<T, Device>> kept_;
  std::vector<std::vector<const void*>> kept_tags_;
  std::vector<KeptNode> kept_nodes_;
  std::vector<int> strides_;
  Buffer<T, Device> arena_, loss_scratch_;
  std::size_t kept_elements_ = 0;
  std::vector<std::unique_ptr<Trace>> lanes_;
  Passes passes_{};

  // of the last forward
  int n_ = 0;
  bool pending_ =
      false;  // a forward whose backward has not run: backward reuses the arena as it goes
  Context context_{};
  PreparedLease<T, Device> prepared_;
  std::uint64_t parameter_version_ = 0;
  View<const T, Device> input_{};
};

}  // namespace rnx::inline RNX_ISA
