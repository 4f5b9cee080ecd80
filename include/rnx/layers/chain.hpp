// Fusion: a pass holds the last operation back while what follows can be done in the same pass over
// memory: a convolution with batch statistics, or with normalisation, addition and ReLU; backward
// an input gradient with addition, ReLU's mask and the sums or the factor of batch norm. Operations
// are recognised by what they read (the pending output); layers call pass.run(op::X<T>{...}) and
// know nothing of it. Results are those of the single operations in their order. An intermediate
// value is stored unless the next operation overwrites it.
#pragma once

#include "rnx/layers/node.hpp"

namespace rnx::inline RNX_ABI::functor {
struct Relu;
}

namespace rnx::inline RNX_ISA {

/// Devices with a kernel for op::chain.
template <class Device>
constexpr bool has_chains = std::is_same_v<Device, cpu> || std::is_same_v<Device, loopback>;

template <class T, class Device> class PendingChain {
 public:
  /// Whether the operation was taken into the chain. Otherwise the caller flushes and runs it.
  template <class Operation> bool take(Stream, const Operation&) { return false; }

  bool take(Stream s, const op::conv2d_forward<T>& a) {
    begin(s,
          {.source = op::ChainSource::forward,
           .x = a.x,
           .w = a.w,
           .bias = a.bias,
           .scale = a.scale,
           .accumulate = a.accumulate,
           .y = a.y,
           .filter = a.filter},
          Part::source);
    return true;
  }
  bool take(Stream s, const op::conv2d_backward_input<T>& a) {
    begin(s,
          {.source = op::ChainSource::backward_input,
           .x = a.dy,
           .w = a.w,
           .y = a.dx,
           .filter = a.filter},
          Part::source);
    return true;
  }
  bool take(Stream, const op::batch_norm_statistics<T>& a) {
    if (!follows(a.x, Part::statistics) || chain_.source != op::ChainSource::forward ||
        part_ != Part::source)
      return false;
    chain_.tail.mean_out = a.mean;
    chain_.tail.var_out = a.var;
    part_ = Part::closed;
    return true;
  }
  bool take(Stream s, const op::batch_norm_normalize<T>& a) {
    if (follows(a.x, Part::normal) && fits(a.y))
      move(a.y.data, Part::normal);
    else
      begin(s, values(a.x, a.y), Part::normal);
    auto& t = chain_.tail;
    t.normalized = true;
    t.mean = a.mean;
    t.var = a.var;
    t.gamma = a.gamma;
    t.beta = a.beta;
    t.eps = a.eps;
    return true;
  }
  bool take(Stream s, const op::add<T>& a) {
    const bool first =
        follows(a.a, Part::sum) && fits(a.b) && fits(a.y) && a.b.data != chain_.y.data;
    if (!first &&
        !(follows(a.b, Part::sum) && fits(a.a) && fits(a.y) && a.a.data != chain_.y.data)) {
      if (a.b.stride != a.y.stride) return false;
      begin(s, values(a.a, a.y), Part::sum);
      chain_.tail.addend = a.b.data;
      return true;
    }
    move(a.y.data, Part::sum);
    chain_.tail.addend = first ? a.b.data : a.a.data;
    return true;
  }
  bool take(Stream, const op::pointwise_forward<functor::Relu, T>& a) {
    if (!follows(a.x, Part::relu) || !fits(a.y)) return false;
    move(a.y.data, Part::relu);
    chain_.tail.relu = true;
    return true;
  }

  bool take(Stream, const op::accumulate<T>& a) {
    if (follows(a.to, Part::sum) && fits(a.from) && a.from.data != chain_.y.data) {
      chain_.tail.addend = a.from.data;
      part_ = Part::sum;
      return true;
    }
    if (!follows(a.from, Part::sum) || !fits(a.to)) return false;
    if (a.consumed)
      chain_.y.data = a.to.data;
    else
      move(a.to.data, Part::sum);
    chain_.tail.addend = a.to.data;
    part_ = Part::sum;
    return true;
  }
  bool take(Stream s, const op::pointwise_backward<functor::Relu, T>& a) {
    if (follows(a.dy, Part::masked) && fits(a.v) && fits(a.dx))
      move(a.dx.data, Part::masked);
    else if (a.v.stride == a.dx.stride)
      begin(s, values(a.dy, a.dx), Part::masked);
    else
      return false;
    chain_.tail.mask = a.v.data;
    return true;
  }
  bool take(Stream, const op::batch_norm_reduce<T>& a) {
    auto& t = chain_.tail;
    if (!follows(a.dy, Part::scaled) || !fits(a.x) || t.normalized) return false;
    t.x = a.x.data;
    t.mean = a.mean;
    t.var = a.var;
    t.eps = a.eps;
    t.sums = a.sums;
    part_ = Part::closed;
    return true;
  }
  bool take(Stream s, const op::batch_norm_backward<T>& a) {
    if (a.sums) return false;
    if (follows(a.dy, Part::scaled) && fits(a.dx) && !chain_.tail.normalized)
      move(a.dx.data, Part::scaled);
    else
      begin(s, values(a.dy, a.dx), Part::scaled);
    auto& t = chain_.tail;
    t.scaled = true;
    t.var = a.var;
    t.gamma = a.gamma;
    t.eps = a.eps;
    return true;
  }

  /// Runs what is pending, then the reductions that wait for it.
  [[gnu::noinline]] void flush(Stream s) {  // every take() may call it
    if (part_ == Part::none) return;
    part_ = Part::none;
    kernel<Device, op::chain<T>>::run(s, chain_);
    for (int i = 0; i < waiting_; ++i) kernel<Device, op::attention_map<T>>::run(s, reductions_[i]);
    waiting_ = 0;
  }
  /// A reduction of a map that may be pending; it selects no other kernel.
  void reduce(Stream s, const op::attention_map<T>& a) {
    if (part_ == Part::none) return kernel<Device, op::attention_map<T>>::run(s, a);
    reductions_[waiting_++] = a;
    if (waiting_ == int(reductions_.size())) flush(s);
  }

 private:
  /// What was taken last; the parts of a chain come in this order. closed: something reads sums of
  /// all values.
  enum class Part { none, source, statistics, normal, sum, relu, masked, scaled, closed };

  static bool same(const geometry::Map& a, const geometry::Map& b) {
    return a.n == b.n && a.h == b.h && a.w == b.w && a.c == b.c && a.stride == b.stride;
  }
  bool fits(const geometry::Map& m) const { return same(m, chain_.y); }
  bool follows(const op::Map<const T>& x, Part part) const {
    return part_ != Part::none && part_ < part && chain_.y.data == x.data && fits(x);
  }
  op::chain<T> values(const op::Map<const T>& from, const op::Map<T>& to) const {
    return {.source = op::ChainSource::values, .x = from, .y = to};
  }
  void begin(Stream s, const op::chain<T>& a, Part part) {
    flush(s);
    chain_ = a;
    part_ = part;
  }
  /// The output is now y. Where that is other memory, the value so far is stored where it was to
  /// be.
  void move(T* y, Part part) {
    auto& t = chain_.tail;
    if (y != chain_.y.data) {
      if (part_ == Part::source) {
        if (chain_.source != op::ChainSource::values) t.raw = chain_.y.data;
      } else if (part_ == Part::normal)
        t.normal = chain_.y.data;
      else if (part_ == Part::masked)
        t.masked = chain_.y.data;
      else
        t.sum = chain_.y.data;
      chain_.y.data = y;
    }
    part_ = part;
  }

  op::chain<T> chain_{};
  std::array<op::attention_map<T>, 4> reductions_{};
  int waiting_ = 0;
  Part part_ = Part::none;
};

}  // namespace rnx::inline RNX_ISA
