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

/// Devices with a kernel for op::fused.
template <class Device>
constexpr bool has_fusion = std::is_same_v<Device, cpu> || std::is_same_v<Device, loopback>;

template <class T, class Device> class PendingFusion {
 public:
  /// Whether the operation was taken into it. Otherwise the caller flushes and runs it.
  template <class Operation> bool take(Stream, const Operation&) { return false; }

  bool take(Stream s, const op::conv2d_forward<T>& a) {
    begin(s,
          {.source = op::FusedSource::forward,
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
  bool take(Stream s, const op::binary_convolution<T>& a) {
    begin(s,
          {.source = op::FusedSource::binary,
           .binary = a.in,
           .bias = a.bias,
           .scale = a.scale,
           .y = a.y,
           .filter = a.filter},
          Part::source);
    return true;
  }
  bool take(Stream s, const op::conv2d_backward_input<T>& a) {
    begin(s,
          {.source = op::FusedSource::backward_input,
           .x = a.dy,
           .w = a.w,
           .y = a.dx,
           .filter = a.filter},
          Part::source);
    return true;
  }
  bool take(Stream, const op::batch_norm_statistics<T>& a) {
    if (!follows(a.x, Part::statistics) || part_ != Part::source ||
        fused_.source == op::FusedSource::values ||
        fused_.source == op::FusedSource::backward_input)
      return false;
    fused_.tail.mean_out = a.mean;
    fused_.tail.var_out = a.var;
    part_ = Part::closed;
    return true;
  }
  bool take(Stream s, const op::batch_norm_normalize<T>& a) {
    if (follows(a.x, Part::normalized) && fits(a.y))
      move(a.y.data, Part::normalized);
    else
      begin(s, values(a.x, a.y), Part::normalized);
    auto& t = fused_.tail;
    t.normalize = true;
    t.mean = a.mean;
    t.var = a.var;
    t.gamma = a.gamma;
    t.beta = a.beta;
    t.eps = a.eps;
    return true;
  }
  bool take(Stream s, const op::add<T>& a) {
    const bool first =
        follows(a.a, Part::added) && fits(a.b) && fits(a.y) && a.b.data != fused_.y.data;
    if (!first &&
        !(follows(a.b, Part::added) && fits(a.a) && fits(a.y) && a.a.data != fused_.y.data)) {
      if (a.b.stride != a.y.stride) return false;
      begin(s, values(a.a, a.y), Part::added);
      fused_.tail.addend = a.b.data;
      return true;
    }
    move(a.y.data, Part::added);
    fused_.tail.addend = first ? a.b.data : a.a.data;
    return true;
  }
  bool take(Stream, const op::pointwise_forward<functor::Relu, T>& a) {
    if (!follows(a.x, Part::relu) || !fits(a.y)) return false;
    move(a.y.data, Part::relu);
    fused_.tail.relu = true;
    return true;
  }
  bool take(Stream s, const op::masked_relu_forward<T>& a) {
    if (!a.bits.data || a.bits.stride != a.y.stride) return false;
    if (!take(s, op::pointwise_forward<functor::Relu, T>{.x = a.x, .y = a.y})) return false;
    fused_.tail.mask = a.bits.data;
    return true;
  }

  /// Signs of what is pending, where blocks of 16 channels are whole bytes of a pixel.
  template <class A>
    requires requires(const T* p) { quant::SignOf<A>::shifts(p, 1); }
  bool take(Stream, const op::binarize<A, T>& a) {
    const bool of_values =
        fused_.source == op::FusedSource::values || fused_.source == op::FusedSource::binary;
    if (!follows(a.x, Part::relu_backward) || !of_values || a.x.c % 16 != 0) return false;
    fused_.signs = {.to = a.to,
                    .bits = a.bits,
                    .shifts = quant::SignOf<A>::shifts(a.parameters, a.to.bases),
                    .alone = a.alone};
    part_ = Part::closed;
    return true;
  }

  bool take(Stream, const op::accumulate<T>& a) {
    if (follows(a.to, Part::added) && fits(a.from) && a.from.data != fused_.y.data) {
      fused_.tail.addend = a.from.data;
      part_ = Part::added;
      return true;
    }
    if (!follows(a.from, Part::added) || !fits(a.to)) return false;
    if (a.consumed)
      fused_.y.data = a.to.data;
    else
      move(a.to.data, Part::added);
    fused_.tail.addend = a.to.data;
    part_ = Part::added;
    return true;
  }
  bool take(Stream s, const op::pointwise_backward<functor::Relu, T>& a) {
    if (follows(a.dy, Part::relu_backward) && fits(a.v) && fits(a.dx))
      move(a.dx.data, Part::relu_backward);
    else if (a.v.stride == a.dx.stride)
      begin(s, values(a.dy, a.dx), Part::relu_backward);
    else
      return false;
    fused_.tail.relu_output = a.v.data;
    return true;
  }
  bool take(Stream s, const op::masked_relu_backward<T>& a) {
    if (!a.bits.data || a.bits.stride != a.dx.stride) return false;
    if (!take(s, op::pointwise_backward<functor::Relu, T>{.v = a.y, .dy = a.dy, .dx = a.dx}))
      return false;
    fused_.tail.mask = a.bits.data;
    return true;
  }
  bool take(Stream, const op::batch_norm_reduce<T>& a) {
    auto& t = fused_.tail;
    if (!follows(a.dy, Part::scaled) || !fits(a.x) || t.normalize) return false;
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
    if (follows(a.dy, Part::scaled) && fits(a.dx) && !fused_.tail.normalize)
      move(a.dx.data, Part::scaled);
    else
      begin(s, values(a.dy, a.dx), Part::scaled);
    auto& t = fused_.tail;
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
    kernel<Device, op::fused<T>>::run(s, fused_);
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
  /// What was taken last; the parts of a fused operation come in this order. closed: something
  /// reads sums of all values.
  enum class Part {
    none,
    source,
    statistics,
    normalized,
    added,
    relu,
    relu_backward,
    scaled,
    closed
  };

  static bool same(const geometry::Map& a, const geometry::Map& b) {
    return a.n == b.n && a.h == b.h && a.w == b.w && a.c == b.c && a.stride == b.stride;
  }
  bool fits(const geometry::Map& m) const { return same(m, fused_.y); }
  bool follows(const op::Map<const T>& x, Part part) const {
    return part_ != Part::none && part_ < part && fused_.y.data == x.data && fits(x);
  }
  op::fused<T> values(const op::Map<const T>& from, const op::Map<T>& to) const {
    return {.source = op::FusedSource::values, .x = from, .y = to};
  }
  void begin(Stream s, const op::fused<T>& a, Part part) {
    flush(s);
    fused_ = a;
    part_ = part;
  }
  /// The output is now y. Where that is other memory, the value so far is stored where it was to
  /// be.
  void move(T* y, Part part) {
    auto& t = fused_.tail;
    if (y != fused_.y.data) {
      if (part_ == Part::source) {
        if (fused_.source != op::FusedSource::values) t.raw = fused_.y.data;
      } else if (part_ == Part::normalized)
        t.normalized = fused_.y.data;
      else if (part_ == Part::relu_backward)
        t.relu_gradient = fused_.y.data;
      else
        t.added = fused_.y.data;
      fused_.y.data = y;
    }
    part_ = part;
  }

  op::fused<T> fused_{};
  std::array<op::attention_map<T>, 4> reductions_{};
  int waiting_ = 0;
  Part part_ = Part::none;
};

}  // namespace rnx::inline RNX_ISA
