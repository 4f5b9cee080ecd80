// NetworkBase: everything of a network that does not depend on its type. attack, distill, eval and
// train are written against it; a Network is one, an AnyNetwork holds one.
#pragma once

#include <memory>

#include "rnx/network/parameter.hpp"

namespace rnx::inline RNX_ISA {

template <class T = float, class Device = default_device>
class NetworkBase : public Parametrised<T, Device> {
 public:
  using PassType = Pass<T, Device>;
  using Parametrised<T, Device>::parameters;

  const Graph& graph() const { return *graph_; }
  Dims input_dims() const { return graph_->input; }
  int classes() const { return graph_->nodes.back().out.c; }
  const std::vector<NamedParameter>& parameter_list() const override { return graph_->parameters; }

  Trace<T, Device> make_trace(TraceOptions options) const {
    return Trace<T, Device>(*graph_, std::move(options));
  }

  /// Several threads may run one network at once, each with a trace of its own.
  /// Runs n = x.n samples; returns the logits (n, classes). x: (n, c, h, w) in channels-innermost
  /// memory, alive until backward is done.
  View<const T, Device> forward(Trace<T, Device>& trace, View<const T, Device> x,
                                const Context& ctx) const {
    check_input(trace, x, ctx);
    if constexpr (std::is_same_v<Device, cpu>)
      if (trace.tiled()) return forward_tiles(trace, x, ctx);
    trace.n_ = x.n;
    trace.passes_.forwards += x.n;
    trace.pending_ = true;
    trace.context_ = ctx;
    trace.input_ = x;
    trace.parameter_version_ = this->parameter_version_;
    trace.prepared_.reset();  // its memory may be used again for the new version
    trace.prepared_ = prepare(ctx);
    for (auto& r : trace.records_) r = {};
    PassType p = pass(trace);
    View<T, Device> y = p.output(int(graph_->nodes.size()) - 1);
    do_forward(x, y, p);
    p.flush();
    trace.refresh_kept({ctx.stream});
    if (trace.use() == Use::infer) release(trace);
    return y;
  }

  /// Tensors of another device: one sentence instead of a list of conversions that failed.
  template <class U, class Other>
    requires(!std::is_same_v<Other, Device>)
  void forward(Trace<T, Device>&, View<U, Other>, const Context&) const {
    same_device<Device, Other>();
  }

  /// Train mode needs more than one value per channel of each batch norm: one has no variance.
  /// Throws UsageError when a batch of n samples has one, naming the layer; `who` begins the
  /// sentence.
  void check_batch_statistics(int n, const char* who) const {
    if (n != 1) return;
    for (const Node& node : graph_->nodes)
      require<UsageError>(!node.statistics || node.in.pixels() > 1, [&] {
        return std::string(who) + ": batch statistics of '" + node.path +
               "' need more than one value per channel, found 1: a batch of 1 sample and " +
               "a map of 1 x 1";
      });
  }

  /// Whether a layer has statistics of a batch: in train mode they couple its samples.
  bool batch_statistics() const {
    return std::any_of(graph_->nodes.begin(), graph_->nodes.end(),
                       [](const Node& node) { return node.statistics != 0; });
  }

  /// How a batch is cut for passes from end to end over a few samples (inference, attacks in eval
  /// mode).
  struct Tiling {
    int samples;     ///< of one pass
    bool by_thread;  ///< each thread runs passes of its own, out of its second-level cache
  };
  /// Networks whose weights do not fit into that cache take many samples, so that weights are not
  /// fetched again for every few.
  Tiling tiling(int n) const {
    if constexpr (!std::is_same_v<Device, cpu>) return {n, false};
    constexpr double cache = 768 << 10;  // bytes of a core's second-level cache that it fills
    constexpr int most = 16, with_weights = 64;  // samples; 64 where weights alone overflow it
    if (double(prepared_size_) * sizeof(T) > 8 * cache) return {std::min(n, with_weights), false};
    std::size_t largest = 1;
    for (const Node& node : graph_->nodes) largest = std::max(largest, node.out.count());
    const int fits = std::clamp(int(cache / (3.0 * double(largest) * sizeof(T))), 1, most);
    const int threads = host::threads(), share = (n + threads - 1) / threads;
    return {std::clamp(share, 1, fits), true};
  }
  /// Prepares weights before several threads run forward at once.
  void prepare_weights(const Context& ctx) const { prepare(ctx); }

  /// Backward of the last forward from trace.logits_gradient() and the seeds: dx assigned (null:
  /// unwanted), grads += (null: not computed).
  void backward(Trace<T, Device>& trace, View<T, Device> dx, Grads<T, Device>* grads) const {
    require<StateError>(trace.n_ > 0, "backward: the trace has run no forward");
    require<StateError>(trace.pending_,
                        "backward: it has run already; each backward needs a forward of its own");
    require<StateError>(
        trace.use() == Use::train || (trace.use() == Use::input_gradient && !grads),
        "backward: the trace was built for less; ask for Use::train or Use::input_gradient");
    require<StateError>(trace.parameter_version_ == this->parameter_version_,
                        "backward: a parameter changed since the trace's forward");
    require<ShapeError>(!dx || (dx.n == trace.n_ && dx.dims == graph_->input), [&] {
      return "backward: dx must have the input's shape " + graph_->input.text();
    });
    require<ShapeError>(!grads || grads->flat.size() == this->parameters_.size(),
                        "backward: these gradients belong to another network");
    trace.pending_ = trace.options_.repeat_backward;
    trace.passes_.backwards += trace.n_;
    PassType p = pass(trace);
    if (!dx) p.first_trained = trace.context_.first_trained;
    do_backward(trace.logits_gradient(), dx, grads ? grads->flat.data() : nullptr, p);
    p.flush();
    if (!trace.pending_) release(trace);
  }

  /// Folds the batch statistics of a train-mode forward into the running statistics of its path.
  /// The caller states the order.
  void commit_statistics(Trace<T, Device>& trace, const StatisticsUpdate& update = {}) {
    require<StateError>(trace.context_.mode == Mode::train && trace.n_ > 0,
                        "commit_statistics: the trace's last forward was not in train mode");
    PassType p = pass(trace);
    do_commit(p, buffers_.data(), update);
  }

  /// f(ParameterRef) for every buffer (running statistics, masks, normalisation).
  template <class F> void visit_buffers(F&& f) const {
    for (const auto& b : graph_->buffers)
      f(ParameterRef<T, Device>{b.name, b.shape, b.kind, buffers_.data() + b.offset, nullptr,
                                b.count});
  }
  /// The buffers' flat storage, as parameters() and mutable_parameters().
  [[nodiscard]] const T* buffers() const { return buffers_.data(); }
  T* mutable_buffers() { return ++buffer_version_, buffers_.data(); }
  std::size_t buffer_storage() const { return buffers_.size(); }

  /// A copy of one parameter or buffer. Throws NameError.
  HostTensor<T> get(const std::string& name) const {
    const auto copy = [](const NamedParameter& p, const T* storage) {
      HostTensor<T> tensor{p.shape, std::vector<T>(p.count)};
      memory<Device>::download(tensor.values.data(), storage + p.offset, p.count * sizeof(T));
      return tensor;
    };
    for (const NamedParameter& p : graph_->parameters)
      if (p.name == name) return copy(p, parameters());
    for (const NamedParameter& b : graph_->buffers)
      if (b.name == name) return copy(b, buffers());
    throw NameError("get: the network has no parameter or buffer called '" + name + "'");
  }
  /// Sets one parameter or buffer from host values in PyTorch's order. Throws NameError,
  /// ShapeError.
  void set(const std::string& name, std::span<const T> values) {
    const auto put = [&](const std::vector<NamedParameter>& list, Buffer<T, Device>& storage,
                         std::uint64_t& version) {
      for (const auto& p : list) {
        if (p.name != name) continue;
        require<ShapeError>(values.size() == p.count, [&] {
          return "set: '" + name + "' has " + std::to_string(p.count) + " elements, found " +
                 std::to_string(values.size());
        });
        storage.upload(values, p.offset);
        ++version;
        return true;
      }
      return false;
    };
    if (put(graph_->parameters, this->parameters_, this->parameter_version_) ||
        put(graph_->buffers, buffers_, buffer_version_))
      return;
    throw NameError("set: the network has no parameter or buffer called '" + name + "'");
  }

  /// Takes over all parameters and buffers of a copy of this network, as it is made by clone().
  /// Errors: ShapeError (another graph), before anything is changed.
  void assign_values(const NetworkBase& copy) {
    require<ShapeError>(copy.graph_ == graph_,
                        "assign_values: expected a copy of this network, found another one");
    memory<Device>::copy(this->parameters_.data(), copy.parameters_.data(),
                         this->parameters_.size() * sizeof(T));
    memory<Device>::copy(buffers_.data(), copy.buffers_.data(), buffers_.size() * sizeof(T));
    ++this->parameter_version_;
    ++buffer_version_;
  }

  /// A subnet from {path, what, value}; slots not named keep their maxima. Paths may be globs.
  struct Choice {
    std::string path, what;
    int value;
  };
  Subnet make_subnet(std::span<const Choice> choices) const {
    Subnet s{default_subnet_.choice, 0};
    for (const Choice& c : choices) {
      require<UsageError>(c.value >= 1, [&] {
        return "subnet: " + c.what + " at '" + c.path + "' must be at least 1, found " +
               std::to_string(c.value);
      });
      bool found = false;
      for (std::size_t i = 0; i < graph_->slot_list.size(); ++i)
        if (graph_->slot_list[i].what == c.what && matches(c.path, graph_->slot_list[i].path)) {
          s.choice[i] = c.value;
          found = true;
        }
      require<NameError>(found,
                         [&] { return "subnet: no slot '" + c.what + "' at '" + c.path + "'"; });
    }
    constexpr std::uint64_t basis = 1469598103934665603ull, prime = 1099511628211ull;  // FNV-1a
    s.id = basis;
    for (int v : s.choice) s.id = (s.id ^ std::uint64_t(v)) * prime;
    return s;
  }
  Subnet make_subnet(std::initializer_list<Choice> choices) const {
    return make_subnet(std::span<const Choice>(choices.begin(), choices.size()));
  }

  /// How often weight maps were computed: caches make it small.
  std::uint64_t preparations() const { return cache_.packings(); }

  virtual std::unique_ptr<NetworkBase> clone() const = 0;

 protected:
  NetworkBase() = default;
  NetworkBase(const NetworkBase& o)  // caches are not copied
      : Parametrised<T, Device>(o),
        graph_(o.graph_),
        sites_(o.sites_),
        prepared_size_(o.prepared_size_),
        buffers_(o.buffers_),
        default_subnet_(o.default_subnet_) {}
  NetworkBase(NetworkBase&&) = default;
  NetworkBase& operator=(NetworkBase&& o) = default;
  NetworkBase& operator=(const NetworkBase& o) {
    if (this != &o) {
      const std::uint64_t version = std::max(this->parameter_version_, o.parameter_version_) + 1;
      Parametrised<T, Device>::operator=(o);
      this->parameter_version_ = version;
      graph_ = o.graph_;
      sites_ = o.sites_;
      prepared_size_ = o.prepared_size_;
      buffers_ = o.buffers_;
      default_subnet_ = o.default_subnet_;
      cache_.clear();
    }
    return *this;
  }

  virtual int do_prepare(PassType&) const = 0;
  virtual void do_forward(View<const T, Device>, View<T, Device>&, PassType&) const = 0;
  virtual void do_backward(View<const T, Device>, View<T, Device>, T*, PassType&) const = 0;
  virtual void do_commit(PassType&, T*, const StatisticsUpdate&) const = 0;

  /// Lays out storage and names; called once by the derived class.
  void build(GraphBuilder builder, const Namer& namer, Dims input, std::uint64_t seed) {
    auto graph = std::make_shared<Graph>();
    graph->input = input;
    graph->bits = builder.bits;
    graph->nodes = std::move(builder.nodes);
    require<StateError>(graph->nodes.size() == namer.paths.size(),
                        "network: sites and names do not agree");
    std::size_t parameters_at = 0, buffers_at = 0, prepared_at = 0;
    for (std::size_t i = 0; i < graph->nodes.size(); ++i) {
      Node& node = graph->nodes[i];
      node.path = namer.paths[i];
      sites_.push_back({parameters_at, buffers_at, prepared_at, node.slot, node.out, node.bits()});
      const auto lay = [&](std::vector<ParameterInfo>& infos, std::vector<NamedParameter>& list,
                           std::size_t& at) {
        for (auto& p : infos) {
          p.offset = at;
          list.push_back({Namer::join(node.path, p.name), p.shape, p.kind, p.init, p.value, at,
                          p.count(), int(i), p.channels});
          at += p.count();
        }
        at = round_up(at, 16);
      };
      lay(node.parameters, graph->parameters, parameters_at);
      lay(node.buffers, graph->buffers, buffers_at);
      prepared_at += round_up(node.prepared, 16);
      for (const auto& what : node.slot_names)
        graph->slot_list.push_back({node.path, what, int(i)});
    }
    for (const auto& tag : namer.tags) graph->nodes[tag.site].tags.push_back(tag.tag);
    prepared_size_ = prepared_at;
    this->parameters_ = Buffer<T, Device>(parameters_at);
    buffers_ = Buffer<T, Device>(buffers_at);
    for (const auto& p : graph->parameters)
      this->parameters_.upload(initial_values<T>(p, seed), p.offset);
    for (const auto& b : graph->buffers) buffers_.upload(initial_values<T>(b, seed), b.offset);
    graph_ = std::move(graph);
    default_subnet_.choice.assign(graph_->slot_list.size(), every_maximum);
  }

 private:
  PassType pass(Trace<T, Device>& trace) const {
    PassType p;
    p.parameters = this->parameters_.data();
    p.buffers = buffers_.data();
    p.prepared_weights = trace.prepared_.data();
    p.sites = sites_.data();
    p.arena = trace.arena_.data();
    p.places = trace.places_.data();
    p.records = trace.records_.data();
    p.ctx = trace.context_;
    p.n = trace.n_;
    return p;
  }
  View<const T, Device> forward_tiles(Trace<T, Device>& trace, View<const T, Device> x,
                                      const Context& ctx) const {
    const Tiling tiling = this->tiling(x.n);
    const long tiles = (x.n + tiling.samples - 1) / tiling.samples;
    const View<T, Device> logits{trace.arena_.data(), x.n, graph_->nodes.back().out,
                                 graph_->nodes.back().out.c};
    const auto pass = [&](long tile, int lane) {
      check_stop(ctx);
      const int first = int(tile) * tiling.samples, n = std::min(tiling.samples, x.n - first);
      Trace<T, Device>& own = trace.lane(lane, tiling.samples, *graph_);
      const View<const T, Device> z = forward(own, x.samples(first, n), ctx.part(first, n));
      memory<Device>::copy(logits.samples(first, n).data, z.data,
                           z.n * z.sample_stride() * sizeof(T));
      trace.gather(own, first, x.n);
    };
    const int lanes = tiling.by_thread ? host::threads() : 1;
    trace.lanes(lanes);
    prepare_weights(ctx);
    if (tiling.by_thread)
      host::parallel_lanes(tiles, lanes, pass);
    else
      for (long tile = 0; tile < tiles; ++tile) pass(tile, 0);
    trace.n_ = x.n;
    trace.context_ = ctx;
    trace.refresh_kept({ctx.stream});
    trace.records_.back() = {x, logits};
    return logits;
  }
  void check_input(const Trace<T, Device>& trace, View<const T, Device> x,
                   const Context& ctx) const {
    require<ShapeError>(x.dims == graph_->input, [&] {
      return "forward: expected samples of " + graph_->input.text() + ", found " + x.dims.text();
    });
    require<ShapeError>(x.n >= 1 && x.n <= trace.capacity(), [&] {
      return "forward: " + std::to_string(x.n) + " samples do not fit into a trace of " +
             std::to_string(trace.capacity());
    });
    require<ShapeError>(trace.records_.size() == graph_->nodes.size(),
                        "forward: the trace belongs to another network");
    require<StateError>(!(trace.options_.eval_only && ctx.mode == Mode::train),
                        "forward: this trace was built for eval mode only");
    check_samples(ctx, x.n);
    require<UsageError>(!ctx.subnet || ctx.subnet->choice.size() == graph_->slot_list.size(),
                        "forward: the subnet belongs to another network");
    if (ctx.mode == Mode::train) check_batch_statistics(x.n, "forward in train mode");
  }

  /// Prepared weights for the current parameters and the subnet: computed once per version, the
  /// last few kept. While a recording runs the maps are always launched: a replay must see the
  /// parameters of its own time.
  PreparedLease<T, Device> prepare(const Context& ctx) const {
    const std::uint64_t id = ctx.subnet ? ctx.subnet->id : 0;
    const std::uint64_t version = this->parameter_version_ + buffer_version_;  // both only grow
    return cache_.lease(id, version, ctx.stream, prepared_size_, [&](T* prepared) {
      PassType p;
      p.parameters = this->parameters_.data();
      p.buffers = buffers_.data();
      p.prepared_weights = prepared;
      p.sites = sites_.data();
      p.ctx = ctx;
      do_prepare(p);
    });
  }

  /// After a trace's last use of prepared weights: the next version takes their memory. Recordings
  /// of other devices keep them.
  static void release(Trace<T, Device>& trace) {
    if constexpr (std::is_same_v<Device, cpu>) trace.prepared_.reset();
  }

 protected:
  std::shared_ptr<const Graph> graph_;
  std::vector<Site> sites_;
  std::size_t prepared_size_ = 0;
  Buffer<T, Device> buffers_;
  std::uint64_t buffer_version_ = 1;  // statistics that are committed do not count
  Subnet default_subnet_;
  mutable PreparedCache<T, Device> cache_;
};

/// The kept output of Tap<Tag, ...> in a trace. Networks known by type check the tag at compile
/// time (see Network).
template <class Tag, class T, class Device>
const Kept<T, Device>& tap(const NetworkBase<T, Device>&, const Trace<T, Device>& trace) {
  return trace.tagged(&tag_id<Tag>);
}

}  // namespace rnx::inline RNX_ISA
