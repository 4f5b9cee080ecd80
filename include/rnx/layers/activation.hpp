// Activations: functors shared by every device, one bound layer for them all; masked ReLU with a
// mask per position. Comparisons are written so that a NaN fails them and comes through, and that
// where PyTorch lets its gradient pass it passes.
#pragma once

#include "rnx/layers/options.hpp"

namespace rnx::inline RNX_ABI::functor {

enum class Reads { input, output };

/// 0 where x <= 0, else x; derivative 0 where y <= 0, else 1
struct Relu {
  static constexpr const char* name = "relu";
  static constexpr Reads reads = Reads::output;
  static constexpr bool relu = true;
  template <class T> RNX_SHARED static T forward(T x) { return x <= T(0) ? T(0) : x; }
  template <class T> RNX_SHARED static T derivative(T y) { return y <= T(0) ? T(0) : T(1); }
};
/// min(max(x, 0), 6); derivative 0 where y <= 0 or y >= 6, else 1
struct Relu6 {
  static constexpr const char* name = "relu6";
  static constexpr Reads reads = Reads::output;
  static constexpr bool relu = true;
  template <class T> RNX_SHARED static T forward(T x) {
    return x <= T(0) ? T(0) : x >= T(6) ? T(6) : x;
  }
  template <class T> RNX_SHARED static T derivative(T y) {
    return y <= T(0) || y >= T(6) ? T(0) : T(1);
  }
};
/// x relu6(x + 3) / 6 (Howard et al. 2019); derivative (2 x + 3) / 6 on (-3, 3)
struct HardSwish {
  static constexpr const char* name = "hard_swish";
  static constexpr Reads reads = Reads::input;
  static constexpr bool relu = false;
  template <class T> RNX_SHARED static T forward(T x) {
    return x <= T(-3) ? T(0) : x >= T(3) ? x : x * (x + T(3)) / T(6);
  }
  template <class T> RNX_SHARED static T derivative(T x) {
    return x <= T(-3) ? T(0) : x >= T(3) ? T(1) : (T(2) * x + T(3)) / T(6);
  }
};
/// relu6(x + 3) / 6
struct HardSigmoid {
  static constexpr const char* name = "hard_sigmoid";
  static constexpr Reads reads = Reads::input;
  static constexpr bool relu = false;
  template <class T> RNX_SHARED static T forward(T x) {
    return x <= T(-3) ? T(0) : x >= T(3) ? T(1) : (x + T(3)) / T(6);
  }
  template <class T> RNX_SHARED static T derivative(T x) {
    return x > T(-3) && x < T(3) ? T(1) / T(6) : T(0);
  }
};

}  // namespace rnx::inline RNX_ABI::functor

namespace rnx::inline RNX_ISA {

template <Dims D, class F, class T, class Device>
struct BoundActivation : BoundSameShape<D, T, Device> {
  static constexpr bool fusible = true;
  using Same = BoundSameShape<D, T, Device>;
  using typename Same::In, typename Same::Out;

  [[gnu::cold]] static int describe(GraphBuilder& g, int input) {
    Node node = Same::node(Kind::activation, F::name, input);
    node.relu = F::relu;
    node.aliasing.overwrites = 0;
    node.aliasing.gradient_in_place = node.fusible = true;
    (F::reads == functor::Reads::input ? node.reads.input : node.reads.output) = reads::always;
    return g.add(std::move(node));
  }
  template <class P> static void forward(In x, Out& y, P& pass, int) {
    y.dims.c = x.dims.c;
    pass.run(op::pointwise_forward<F, T>{.x = x, .y = y});
  }
  template <class P, class Sink> static void backward(In dy, Out dx, Sink, P& pass, int site) {
    if (!dx) return;
    const auto& r = pass.records[site];
    const In v = F::reads == functor::Reads::input ? r.x : In(r.y);
    pass.run(op::pointwise_backward<F, T>{.v = v, .dy = dy, .dx = dx});
  }
};

/// Any functor F with forward, derivative, reads and a name: a user's own activation is
/// Activation<MyFunction>.
template <class F> struct Activation : SameShape {
  template <class In, class Device, class T> using bind = BoundActivation<In::dims, F, T, Device>;
};

template <Dims D, class T, class Device> struct BoundMaskedRelu : BoundSameShape<D, T, Device> {
  static constexpr bool fusible = true;
  using Same = BoundSameShape<D, T, Device>;
  using typename Same::In, typename Same::Out;

  [[gnu::cold]] static int describe(GraphBuilder& g, int input) {
    Node node = Same::node(Kind::activation, "masked_relu", input);
    node.relu = true;
    node.buffers.push_back({"mask", {D.c, D.h, D.w}, ParameterKind::weight, Init::ones});
    node.reads.output = reads::always;
    node.aliasing.overwrites = 0;
    node.aliasing.gradient_in_place = node.fusible = true;
    if (has_fusion<Device>) node.prepared = D.count();
    return g.add(std::move(node));
  }
  template <class P> static int prepare(int c, P& pass, int site) {
    if constexpr (has_fusion<Device>)
      pass.run(op::pack_mask<T>{.mask = pass.buffer(site), .to = bits(pass, site)});
    return c;
  }
  template <class P> static void forward(In x, Out& y, P& pass, int site) {
    y.dims.c = x.dims.c;
    pass.run(op::masked_relu_forward<T>{
        .x = x, .y = y, .mask = pass.buffer(site), .bits = bits(pass, site)});
  }
  template <class P, class Sink> static void backward(In dy, Out dx, Sink, P& pass, int site) {
    if (!dx) return;
    const Out y = pass.records[site].y;
    pass.run(op::masked_relu_backward<T>{
        .y = y, .dy = dy, .dx = dx, .mask = pass.buffer(site), .bits = bits(pass, site)});
  }

 private:
  /// The prepared mask.
  template <class P> static op::Map<T> bits(const P& pass, int site) {
    if constexpr (has_fusion<Device>)
      return {{1, D.h, D.w, D.c, D.c}, pass.prepared(site)};
    else
      return {};
  }
};

namespace act {
using Relu = Activation<functor::Relu>;
using Relu6 = Activation<functor::Relu6>;
using HardSwish = Activation<functor::HardSwish>;
using HardSigmoid = Activation<functor::HardSigmoid>;

/// relu(x m) + x (1 - m) with a mask m in {0, 1} of shape (C, H, W), shared by the batch and by
/// every batch-norm path (paper 000, section 2.4.2). The mask is the buffer `mask`, all ones at
/// first.
struct MaskedRelu : SameShape {
  template <class In, class Device, class T> using bind = BoundMaskedRelu<In::dims, T, Device>;
};
}  // namespace act

}  // namespace rnx::inline RNX_ISA
