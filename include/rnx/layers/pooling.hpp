// Pooling layers.
#pragma once

#include "rnx/layers/options.hpp"

namespace rnx::inline RNX_ISA {

enum class PoolKind { max, average };

template <PoolKind Which, Dims D, int K, int S, int P_, class T, class Device> struct BoundPool {
  static constexpr bool leaf = true;
  static constexpr Dims out{D.c, window_out(D.h, K, S, P_), window_out(D.w, K, S, P_)};
  static constexpr geometry::Window window{.kernel = K, .stride = S, .pad = P_};
  using In = View<const T, Device>;
  using Out = View<T, Device>;

  [[gnu::cold]] static int describe(GraphBuilder& g, int input) {
    Node node;
    node.kind = Kind::pooling;
    node.operation = Which == PoolKind::max ? "max_pool" : "average_pool";
    node.inputs = {input};
    node.in = D;
    node.out = out;
    node.kernel_h = node.kernel_w = K;
    node.stride = S;
    node.pad = P_;
    if (Which == PoolKind::max) node.reads.input = reads::always;
    return g.add(std::move(node));
  }
  template <class P> static int prepare(int c_in, P&, int) { return c_in; }
  template <class P> static void forward(In x, Out& y, P& pass, int) {
    y.dims.c = x.dims.c;
    if constexpr (Which == PoolKind::max)
      pass.run(op::max_pool_forward<T>{.x = x, .y = y, .window = window});
    else
      pass.run(op::average_pool_forward<T>{.x = x, .y = y, .window = window});
  }
  template <class P, class Sink> static void backward(In dy, Out dx, Sink, P& pass, int site) {
    if (!dx) return;
    if constexpr (Which == PoolKind::max) {
      const In x = pass.records[site].x;
      pass.run(op::max_pool_backward<T>{.x = x, .dy = dy, .dx = dx, .window = window});
    } else {
      pass.run(op::average_pool_backward<T>{.dy = dy, .dx = dx, .window = window});
    }
  }
};

template <PoolKind Which, int K, int S, int P> struct Pooling {
  static constexpr int sites = 1;
  static constexpr Dims out_dims(Dims in) {
    return {in.c, window_out(in.h, K, S, P), window_out(in.w, K, S, P)};
  }
  static constexpr Fault fault(Dims in) {
    return !in.valid() ? Fault::empty_input : out_dims(in).valid() ? Fault::none : Fault::window;
  }
  template <class In, class Device, class T>
  using bind = BoundPool<Which, In::dims, K, S, P, T, Device>;
};
/// K x K windows, stride S, padding P (absent for the maximum, zeros for the mean).
template <int K, int S = K, int P = 0> using MaxPool = Pooling<PoolKind::max, K, S, P>;
template <int K, int S = K, int P = 0> using AveragePool = Pooling<PoolKind::average, K, S, P>;

template <Dims D, class T, class Device> struct BoundGlobalPool {
  static constexpr bool leaf = true;
  using In = View<const T, Device>;
  using Out = View<T, Device>;
  [[gnu::cold]] static int describe(GraphBuilder& g, int input) {
    Node node;
    node.kind = Kind::pooling;
    node.operation = "global_average_pool";
    node.inputs = {input};
    node.in = D;
    node.out = {D.c, 1, 1};
    return g.add(std::move(node));
  }
  template <class P> static int prepare(int c_in, P&, int) { return c_in; }
  template <class P> static void forward(In x, Out& y, P& pass, int) {
    y.dims.c = x.dims.c;
    pass.run(op::global_pool_forward<T>{.x = x, .y = y});
  }
  template <class P, class Sink> static void backward(In dy, Out dx, Sink, P& pass, int) {
    if (dx) pass.run(op::global_pool_backward<T>{.dy = dy, .dx = dx});
  }
};

/// Mean over all pixels: (C, H, W) -> (C, 1, 1).
struct GlobalAveragePool {
  static constexpr int sites = 1;
  static constexpr Dims out_dims(Dims in) { return {in.c, 1, 1}; }
  static constexpr Fault fault(Dims in) { return in.valid() ? Fault::none : Fault::empty_input; }
  template <class In, class Device, class T> using bind = BoundGlobalPool<In::dims, T, Device>;
};

}  // namespace rnx::inline RNX_ISA
