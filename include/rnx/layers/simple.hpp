// Small layers: input normalisation, dropout, the padded shortcut, identity.
#pragma once

#include "rnx/layers/options.hpp"

namespace rnx::inline RNX_ISA {

template <Dims D, class T, class Device> struct BoundNormalize : BoundSameShape<D, T, Device> {
  using Same = BoundSameShape<D, T, Device>;
  using typename Same::In, typename Same::Out;
  [[gnu::cold]] static int describe(GraphBuilder& g, int input) {
    Node node = Same::node(Kind::normalisation, "normalize", input);
    node.buffers.push_back({"mean", {D.c}, ParameterKind::norm_bias, Init::zeros});
    node.buffers.push_back({"std", {D.c}, ParameterKind::norm_weight, Init::ones});
    return g.add(std::move(node));
  }
  template <class P> static void forward(In x, Out& y, P& pass, int site) {
    y.dims.c = x.dims.c;
    pass.run(op::affine_channels<T>{
        .x = x, .y = y, .shift = pass.buffer(site), .divisor = pass.buffer(site, D.c)});
  }
  template <class P, class Sink> static void backward(In dy, Out dx, Sink, P& pass, int site) {
    if (dx)
      pass.run(op::affine_channels<T>{
          .x = dy, .y = dx, .shift = nullptr, .divisor = pass.buffer(site, D.c)});
  }
};

/// (x - mean) / std per channel; buffers `mean` and `std` of shape (C). Inside the model, so that
/// attacks see images in [0, 1].
struct Normalize : SameShape {
  template <class In, class Device, class T> using bind = BoundNormalize<In::dims, T, Device>;
};

template <Dims D, class Rate, class T, class Device>
struct BoundDropout : BoundSameShape<D, T, Device> {
  using Same = BoundSameShape<D, T, Device>;
  using typename Same::In, typename Same::Out;
  [[gnu::cold]] static int describe(GraphBuilder& g, int input) {
    return g.add(Same::node(Kind::dropout, "dropout", input));
  }
  template <class P> static void forward(In x, Out& y, P& pass, int site) {
    y.dims.c = x.dims.c;
    apply(x, y, pass, site);
  }
  template <class P, class Sink> static void backward(In dy, Out dx, Sink, P& pass, int site) {
    if (dx) apply(dy, dx, pass, site);
  }

 private:
  template <class P> static void apply(In x, Out y, P& pass, int site) {
    if (pass.train())
      pass.run(op::dropout<T>{.x = x,
                              .y = y,
                              .values = pass.ctx.values,
                              .p = Rate::value,
                              .draw = pass.ctx.draw,
                              .site = std::uint64_t(site),
                              .first_sample = pass.ctx.first_sample,
                              .samples = pass.ctx.samples.data});
    else
      pass.run(op::copy<T>{.from = x, .to = y});
  }
};

/// Zeroes elements with probability Rate in train mode and divides the others by 1 - Rate. Backward
/// draws the same mask again.
template <class Rate = Ratio<1, 2>> struct Dropout : SameShape {
  static_assert(Rate::value >= 0 && Rate::value < 1, "rnx: the rate of a dropout lies in [0, 1)");
  template <class In, class Device, class T> using bind = BoundDropout<In::dims, Rate, T, Device>;
};

template <Dims D, int Out_, int S, class T, class Device> struct BoundPadShortcut {
  static constexpr bool leaf = true;
  static constexpr Dims out{Out_, (D.h + S - 1) / S, (D.w + S - 1) / S};
  static constexpr int before = (Out_ - D.c) / 2;
  using In = View<const T, Device>;
  using Out = View<T, Device>;
  [[gnu::cold]] static int describe(GraphBuilder& g, int input) {
    Node node;
    node.kind = Kind::pooling;
    node.operation = "pad_shortcut";
    node.inputs = {input};
    node.in = D;
    node.out = out;
    node.stride = S;
    return g.add(std::move(node));
  }
  template <class P> static int prepare(int, P&, int) { return Out_; }
  template <class P> static void forward(In x, Out& y, P& pass, int) {
    pass.run(op::pad_shortcut<T>{.x = x, .y = y, .stride = S, .before = before});
  }
  template <class P, class Sink> static void backward(In dy, Out dx, Sink, P& pass, int) {
    if (dx)
      pass.run(op::pad_shortcut_backward<T>{.dy = dy, .dx = dx, .stride = S, .before = before});
  }
};

/// Option A shortcut (He et al. 2016): every S-th pixel, zero channels on both sides up to Out; no
/// parameters.
template <int Out, int S> struct PadShortcut {
  static constexpr int sites = 1;
  static constexpr Dims out_dims(Dims in) { return {Out, (in.h + S - 1) / S, (in.w + S - 1) / S}; }
  static constexpr Fault fault(Dims in) {
    return !in.valid() ? Fault::empty_input : in.c > Out ? Fault::branches : Fault::none;
  }
  template <class In, class Device, class T>
  using bind = BoundPadShortcut<In::dims, Out, S, T, Device>;
};

/// Nothing: takes no site, copies nothing.
struct Identity {
  static constexpr int sites = 0;
  static constexpr Dims out_dims(Dims in) { return in; }
  static constexpr Fault fault(Dims in) { return in.valid() ? Fault::none : Fault::empty_input; }
};

}  // namespace rnx::inline RNX_ISA
