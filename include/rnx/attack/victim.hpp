// What an attack or an evaluation sees of a model: logits (Victim) and, where it can be climbed,
// the gradient of a loss in the images (WhiteBox). A network is both; ensemble.hpp has others.
#pragma once

#include <concepts>
#include <memory>
#include <optional>

#include "rnx/attack/victim_row.hpp"
#include "rnx/kernels/cpu/row.hpp"
#include "rnx/loss.hpp"

#define RNX_NEEDS_WHITE_BOX                                                               \
  "rnx: this attack climbs a gradient, and this victim gives logits alone; one that has " \
  "gradients derives from attack::WhiteBox"

namespace rnx::inline RNX_ISA::attack {

/// The identity on (n, classes): its traces carry logits to losses that come from no network.
template <class T, class Device> class LogitsNetwork final : public NetworkBase<T, Device> {
 public:
  using Base = NetworkBase<T, Device>;
  using typename Base::PassType;

  explicit LogitsNetwork(int classes) {
    GraphBuilder builder;
    Node node;
    node.kind = Kind::other;
    node.operation = "logits";
    node.inputs = {-1};
    node.in = node.out = {classes, 1, 1};
    builder.add(std::move(node));
    Namer namer;
    namer.paths = {"logits"};
    this->build(std::move(builder), namer, {classes, 1, 1}, 0);
  }
  std::unique_ptr<Base> clone() const override { return std::make_unique<LogitsNetwork>(*this); }

 protected:
  int do_prepare(PassType&) const override { return this->classes(); }
  void do_forward(View<const T, Device> x, View<T, Device>& y, PassType& p) const override {
    p.run(op::copy<T>{.from = x, .to = y});
    p.record(0, x, y);
  }
  void do_backward(View<const T, Device> dy, View<T, Device> dx, T*, PassType& p) const override {
    if (dx) p.run(op::copy<T>{.from = dy, .to = dx});
  }
  void do_commit(PassType&, T*, const StatisticsUpdate&) const override {}
};

/// A model that gives logits and is no network: derive from it, or from WhiteBox. Const: several
/// threads may use one, each with a memory of its own. It chooses batch-norm paths and subnets
/// itself, and runs in eval mode.
template <class T = float, class Device = default_device> class Victim {
 public:
  /// What it works in; one call at a time. `trace`: where losses find its logits, of as many
  /// samples as one pass takes.
  class Memory {
   public:
    Memory(const Victim& victim, int tile)
        : head(victim.classes()),
          trace(head.make_trace({.use = Use::input_gradient, .capacity = tile, .eval_only = true})),
          other_values(std::size_t(tile)) {}
    Memory(const Memory&) = delete;
    virtual ~Memory() = default;
    /// Samples that its networks have taken forward and backward in this memory.
    virtual Passes passes() const { return {}; }
    virtual std::size_t bytes() const { return trace.bytes(); }

    LogitsNetwork<T, Device> head;
    Trace<T, Device> trace;
    Buffer<T, Device> other_values;
  };

  virtual ~Victim() = default;
  virtual Dims input_dims() const = 0;
  virtual int classes() const = 0;
  /// How many predictions it makes of one sample: it is right where all of them are, and a loss of
  /// it is the largest of theirs.
  virtual int outputs() const { return 1; }
  /// capacity: samples of a batch; tile: of one pass, 0: as it likes. Use::infer: for logits alone.
  virtual std::unique_ptr<Memory> make_memory(Use use, int capacity, int tile) const = 0;
  /// (n, classes), dense, valid until the memory's next call. n: at most the capacity of a memory
  /// for Use::infer, the tile of another.
  virtual View<const T, Device> logits(Memory& memory, View<const T, Device> x, const Context& ctx,
                                       int output) const = 0;

  /// values(i) = the loss of sample i, in device memory.
  void loss_values(Memory& memory, View<const T, Device> x, const loss::LossRef<T, Device>& loss,
                   const Context& ctx, T* values) const {
    const int size = memory.trace.capacity();
    for (int first = 0; first < x.n; first += size) {
      check_stop(ctx);
      const int n = std::min(size, x.n - first);
      const Context at = ctx.part(first, n);
      for (int k = 0; k < outputs(); ++k) {
        memory.head.forward(memory.trace, logits(memory, x.samples(first, n), at, k), at);
        loss::Call<T> call{.first = ctx.samples ? 0 : first, .samples = at.samples};
        call.values = k == 0 ? values + first : memory.other_values.data();
        call.scratch = memory.trace.loss_scratch();
        loss(memory.trace, call);
        if (k > 0)
          run<Device>({ctx.stream}, op::keep_larger<T>{.other_value = call.values,
                                                       .value = values + first,
                                                       .other = {{n, 1, 1, 1, 1}, nullptr},
                                                       .kept = {{n, 1, 1, 1, 1}, nullptr}});
      }
    }
  }
};

/// A victim whose loss has a gradient in the images.
template <class T = float, class Device = default_device>
class WhiteBox : public Victim<T, Device> {
 public:
  using typename Victim<T, Device>::Memory;
  /// As attack::input_gradient, in a memory for Use::input_gradient. values may be null.
  virtual void input_gradient(Memory& memory, View<const T, Device> x,
                              const loss::LossRef<T, Device>& loss, const Context& ctx,
                              View<T, Device> dx, T* values) const = 0;
};

/// A network or a victim, not owned: what attacks that need logits alone take.
template <class T = float, class Device = default_device> class VictimRef {
 public:
  VictimRef(const NetworkBase<T, Device>& net) : net_(&net) {}
  VictimRef(const Victim<T, Device>& victim) : victim_(&victim) {}

  /// Null where it is a victim, which box() is then.
  const NetworkBase<T, Device>* network() const { return net_; }
  const Victim<T, Device>& box() const { return *victim_; }
  Dims input_dims() const { return net_ ? net_->input_dims() : victim_->input_dims(); }
  int classes() const { return net_ ? net_->classes() : victim_->classes(); }
  int outputs() const { return net_ ? 1 : victim_->outputs(); }
  /// Whether both refer to the same object.
  friend bool operator==(const VictimRef& a, const VictimRef& b) {
    return a.net_ == b.net_ && a.victim_ == b.victim_;
  }

 private:
  const NetworkBase<T, Device>* net_ = nullptr;
  const Victim<T, Device>* victim_ = nullptr;
};

/// A network or a white box, not owned: what attacks that climb a gradient take.
template <class T = float, class Device = default_device>
class WhiteBoxRef : public VictimRef<T, Device> {
 public:
  WhiteBoxRef(const NetworkBase<T, Device>& net) : VictimRef<T, Device>(net) {}
  WhiteBoxRef(const WhiteBox<T, Device>& box) : VictimRef<T, Device>(box), box_(&box) {}
  /// A victim that gives logits alone: one sentence. (Not for the base itself: Attack must see that
  /// it does not convert.)
  template <class V>
    requires(std::derived_from<V, Victim<T, Device>> &&
             !std::derived_from<V, WhiteBox<T, Device>> && !std::same_as<V, Victim<T, Device>>)
  WhiteBoxRef(const V& victim) : VictimRef<T, Device>(victim) {
    static_assert(sizeof(V) == 0, RNX_NEEDS_WHITE_BOX);
  }
  const WhiteBox<T, Device>& white_box() const { return *box_; }

 private:
  const WhiteBox<T, Device>* box_ = nullptr;
};

/// Throws UsageError where a context asks a victim for what it decides itself.
template <class T, class Device>
void check_context(const VictimRef<T, Device>& victim, const Context& ctx) {
  require<UsageError>(
      victim.network() || (ctx.mode == Mode::eval && ctx.path == 0 && !ctx.subnet),
      "attack: a victim that is no network runs in eval mode and chooses paths and subnets itself");
}

/// Logits alone, of up to `capacity` samples at a time; one call at a time.
template <class T = float, class Device = default_device> class Predictor {
 public:
  Predictor(const VictimRef<T, Device>& victim, int capacity) : victim_(victim) {
    if (const auto* net = victim.network())
      trace_.emplace(net->make_trace({.use = Use::infer, .capacity = capacity, .eval_only = true}));
    else
      memory_ = victim.box().make_memory(Use::infer, capacity, 0);
  }
  /// (n, classes) of one of the victim's outputs, valid until the next call. Throws what a forward
  /// throws.
  View<const T, Device> operator()(View<const T, Device> x, const Context& ctx, int output = 0) {
    check_context(victim_, ctx);
    if (trace_) return victim_.network()->forward(*trace_, x, ctx);
    return victim_.box().logits(*memory_, x, ctx, output);
  }
  Passes passes() const { return trace_ ? trace_->passes() : memory_->passes(); }
  const VictimRef<T, Device>& victim() const { return victim_; }
  std::size_t bytes() const { return trace_ ? trace_->bytes() : memory_->bytes(); }

 private:
  VictimRef<T, Device> victim_;
  std::optional<Trace<T, Device>> trace_;
  std::unique_ptr<typename Victim<T, Device>::Memory> memory_;
};

}  // namespace rnx::inline RNX_ISA::attack
