// Victims of several passes: networks, or batch-norm paths and subnets of one, whose logits are
// combined (Ensemble), or that must all be right (Worst).
#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "rnx/attack/input_gradient.hpp"

namespace rnx::inline RNX_ISA::attack {

/// One pass of a victim. Network and subnet must outlive it.
template <class T = float, class Device = default_device> struct Member {
  const NetworkBase<T, Device>* net = nullptr;
  int path = 0;                    ///< batch-norm path
  const Subnet* subnet = nullptr;  ///< null: every maximum
};

/// Of Ensemble and Worst: members that take the same images.
/// Throws UsageError for no member, one without a network, more than op::max_members, and members
/// of other images or classes.
template <class T, class Device> class Members : public WhiteBox<T, Device> {
 public:
  using typename WhiteBox<T, Device>::Memory;

  explicit Members(std::vector<Member<T, Device>> members) : members_(std::move(members)) {
    require<UsageError>(!members_.empty() && int(members_.size()) <= op::max_members, [&] {
      return "ensemble: expected 1 to " + std::to_string(op::max_members) + " members, found " +
             std::to_string(members_.size());
    });
    for (const auto& m : members_) {
      require<UsageError>(m.net != nullptr, "ensemble: a member has no network");
      require<UsageError>(m.net->input_dims() == input_dims() && m.net->classes() == classes(),
                          "ensemble: its members must take the same images and have the same "
                          "classes");
    }
  }
  const std::vector<Member<T, Device>>& members() const { return members_; }
  Dims input_dims() const override { return members_[0].net->input_dims(); }
  int classes() const override { return members_[0].net->classes(); }

 protected:
  /// A trace for each member, and what the derived class adds.
  struct Traces : Memory {
    Traces(const Members& victim, Use use, int capacity, int tile) : Memory(victim, tile) {
      const bool infer = use == Use::infer;
      for (const auto& m : victim.members())
        traces.push_back(m.net->make_trace(
            {.use = use, .capacity = infer ? capacity : tile, .eval_only = true}));
    }
    Passes passes() const override {
      Passes sum;
      for (const auto& t : traces) sum += t.passes();
      return sum;
    }
    std::size_t bytes() const override {
      std::size_t sum = Memory::bytes();
      for (const auto& t : traces) sum += t.bytes();
      return sum;
    }
    std::vector<Trace<T, Device>> traces;
  };
  /// Throws UsageError where the memory was made for another victim.
  template <class Own> static Own& own(Memory& memory) {
    Own* found = dynamic_cast<Own*>(&memory);
    require<UsageError>(found != nullptr, "ensemble: the memory was made for another victim");
    return *found;
  }
  static Context at_member(const Member<T, Device>& m, Context ctx) {
    ctx.path = m.path;
    ctx.subnet = m.subnet;
    return ctx;
  }
  View<const T, Device> forward(Traces& memory, std::size_t k, View<const T, Device> x,
                                const Context& ctx) const {
    const auto& m = members_[k];
    return m.net->forward(memory.traces[k], x, at_member(m, ctx));
  }

  std::vector<Member<T, Device>> members_;
};

/// Members whose logits become one: their mean, that of their probabilities, or those of the member
/// that is most confident of the sample (a switch). Attacks climb through all of them.
template <class T = float, class Device = default_device>
class Ensemble final : public Members<T, Device> {
 public:
  using typename WhiteBox<T, Device>::Memory;

  explicit Ensemble(std::vector<Member<T, Device>> members,
                    op::Combine how = op::Combine::mean_logits)
      : Members<T, Device>(std::move(members)),
        how_(how) {}

  std::unique_ptr<Memory> make_memory(Use use, int capacity, int tile) const override {
    constexpr int most = 64;  // samples of a tile: every member's trace holds one
    return std::make_unique<Own>(*this, use, capacity, std::min(tile ? tile : most, capacity));
  }
  View<const T, Device> logits(Memory& memory, View<const T, Device> x, const Context& ctx,
                               int) const override {
    Own& own = this->template own<Own>(memory);
    return combined(own, x, ctx);
  }
  void input_gradient(Memory& memory, View<const T, Device> x, const loss::LossRef<T, Device>& loss,
                      const Context& ctx, View<T, Device> dx, T* values) const override {
    Own& own = this->template own<Own>(memory);
    const int size = own.trace.capacity();
    for (int first = 0; first < x.n; first += size) {
      check_stop(ctx);
      const int n = std::min(size, x.n - first);
      const Context at = ctx.part(first, n);
      own.head.forward(own.trace, combined(own, x.samples(first, n), at), at);
      loss::Call<T> call{.first = ctx.samples ? 0 : first, .samples = at.samples};
      if (values) {
        call.values = values + first;
        call.scratch = own.trace.loss_scratch();
      }
      loss(own.trace, call);
      backward(own, at, dx.samples(first, n));
    }
  }

 private:
  struct Own : Members<T, Device>::Traces {
    Own(const Ensemble& victim, Use use, int capacity, int tile)
        : Members<T, Device>::Traces(victim, use, capacity, tile),
          z(int(victim.members().size()) * (use == Use::infer ? capacity : tile), dims(victim)),
          dz(use == Use::infer ? 0 : z.n(), dims(victim)),
          y(use == Use::infer ? capacity : tile, dims(victim)),
          part(use == Use::infer ? 0 : tile, victim.input_dims()) {}
    static Dims dims(const Ensemble& victim) { return {victim.classes(), 1, 1}; }
    Tensor<T, Device> z, dz, y, part;  // of the members, combined; one member's input gradient
  };

  View<const T, Device> combined(Own& own, View<const T, Device> x, const Context& ctx) const {
    const int count = int(this->members_.size());
    const Stream stream{ctx.stream};
    for (int k = 0; k < count; ++k)
      run<Device>(stream, op::copy<T>{.from = this->forward(own, std::size_t(k), x, ctx),
                                      .to = own.z.view().samples(k * x.n, x.n)});
    const View<T, Device> y = own.y.view().samples(0, x.n);
    run<Device>(stream, op::combine_logits<T>{
                            .z = own.z.view().samples(0, count * x.n), .y = y, .how = how_});
    return y;
  }
  /// dx = the sum of the members' input gradients, from the gradient that the loss has left.
  void backward(Own& own, const Context& ctx, View<T, Device> dx) const {
    const int count = int(this->members_.size()), n = dx.n;
    const Stream stream{ctx.stream};
    run<Device>(stream, op::combine_logits_backward<T>{.z = own.z.view().samples(0, count * n),
                                                       .dy = own.trace.logits_gradient(),
                                                       .dz = own.dz.view().samples(0, count * n),
                                                       .how = how_});
    for (int k = 0; k < count; ++k) {
      Trace<T, Device>& trace = own.traces[std::size_t(k)];
      run<Device>(stream, op::copy<T>{.from = own.dz.view().samples(k * n, n),
                                      .to = trace.logits_gradient()});
      const View<T, Device> to = k == 0 ? dx : own.part.view().samples(0, n);
      this->members_[std::size_t(k)].net->backward(trace, to, nullptr);
      if (k > 0) run<Device>(stream, op::accumulate<T>{.from = to, .to = dx});
    }
  }

  op::Combine how_;
};

/// Members that must all be right (the worse of two batch-norm paths, say): each is an output. An
/// attack follows, for each sample, the member whose loss is largest; where another one is easier
/// to fool, an attack on that one alone is stronger: report both.
template <class T = float, class Device = default_device>
class Worst final : public Members<T, Device> {
 public:
  using typename WhiteBox<T, Device>::Memory;
  using Members<T, Device>::Members;

  int outputs() const override { return int(this->members_.size()); }
  std::unique_ptr<Memory> make_memory(Use use, int capacity, int tile) const override {
    if (tile == 0) {
      tile = capacity;
      for (const auto& m : this->members_) tile = std::min(tile, m.net->tiling(capacity).samples);
    }
    return std::make_unique<Own>(*this, use, capacity, std::min(tile, capacity));
  }
  View<const T, Device> logits(Memory& memory, View<const T, Device> x, const Context& ctx,
                               int output) const override {
    return this->forward(this->template own<Own>(memory), std::size_t(output), x, ctx);
  }
  void input_gradient(Memory& memory, View<const T, Device> x, const loss::LossRef<T, Device>& loss,
                      const Context& ctx, View<T, Device> dx, T* values) const override {
    Own& own = this->template own<Own>(memory);
    if (!values) values = own.values.data();
    for (std::size_t k = 0; k < this->members_.size(); ++k) {
      const View<T, Device> to = k == 0 ? dx : own.part.view().samples(0, x.n);
      T* found = k == 0 ? values : own.others.data();
      const auto& m = this->members_[k];
      const Context at = this->at_member(m, ctx);
      if (loss.by_threads())
        attack::input_gradient(*m.net, own.traces[k], x, ByThreads{loss}, at, to, found);
      else
        attack::input_gradient(*m.net, own.traces[k], x, loss, at, to, found);
      if (k > 0)
        run<Device>({ctx.stream}, op::keep_larger<T>{.other_value = found,
                                                     .value = values,
                                                     .other = View<const T, Device>(to),
                                                     .kept = dx});
    }
  }

 private:
  struct ByThreads {
    static constexpr bool concurrent = true, gathers = true;
    const loss::LossRef<T, Device>& loss;
    void operator()(Trace<T, Device>& trace, const loss::Call<T>& call) const { loss(trace, call); }
  };
  struct Own : Members<T, Device>::Traces {
    Own(const Worst& victim, Use use, int capacity, int tile)
        : Members<T, Device>::Traces(victim, use, capacity, tile),
          part(use == Use::infer ? 0 : capacity, victim.input_dims()),
          values(std::size_t(capacity)),
          others(std::size_t(capacity)) {}
    Tensor<T, Device> part;
    Buffer<T, Device> values, others;
  };
};

}  // namespace rnx::inline RNX_ISA::attack
