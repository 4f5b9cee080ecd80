// A ReLU whose negative side has a trained slope at every position (Cho et al. 2022, "Selective
// Network Linearization for Efficient Private Inference").
#pragma once

#include "rnx/kernels/cpu/parallel.hpp"
#include "rnx/layers/activation.hpp"

namespace rnx::inline RNX_ABI::op {

/// y = x < 0 ? (1 - a) x : x, a(c, h, w) shared by the batch, in the field's order
template <class T> struct sloped_relu_forward {
  Map<const T> x;
  Map<T> y;
  const T* slopes;
  auto pointers() { return std::tie(x.data, y.data, slopes); }
};
/// dx = x < 0 ? (1 - a) dy : dy, assigned; da(c, h, w) += sum over the batch of x < 0 ? -x dy : 0
/// (null: not computed)
template <class T> struct sloped_relu_backward {
  Map<const T> x;
  Map<const T> dy;
  Map<T> dx;
  const T* slopes;
  T* dslopes;
  auto pointers() { return std::tie(x.data, dy.data, dx.data, slopes, dslopes); }
};

}  // namespace rnx::inline RNX_ABI::op

namespace rnx::inline RNX_ISA {

template <class T> struct kernel<cpu, op::sloped_relu_forward<T>> {
  static void run(Stream, const op::sloped_relu_forward<T>& a) {
    const std::size_t pixels = std::size_t(a.x.h) * a.x.w;
    host::for_rows(a.x.rows(), a.x.c, [&](std::size_t row) {
      const T *x = a.x.data + row * a.x.stride, *s = a.slopes + row % pixels;
      T* y = a.y.data + row * a.y.stride;
      for (int c = 0; c < a.x.c; ++c)
        y[c] = x[c] < 0 ? (T(1) - s[std::size_t(c) * pixels]) * x[c] : x[c];
    });
  }
};

template <class T> struct kernel<cpu, op::sloped_relu_backward<T>> {
  static void run(Stream, const op::sloped_relu_backward<T>& a) {
    const std::size_t pixels = std::size_t(a.x.h) * a.x.w;
    host::for_rows(pixels, a.x.c, [&](std::size_t pixel) {  // sample by sample, in one order
      for (int i = 0; i < a.x.n; ++i) {
        const std::size_t row = std::size_t(i) * pixels + pixel;
        const T *x = a.x.data + row * a.x.stride, *dy = a.dy.data + row * a.dy.stride;
        T* dx = a.dx.data ? a.dx.data + row * a.dx.stride : nullptr;
        for (int c = 0; c < a.x.c; ++c) {
          const std::size_t at = std::size_t(c) * pixels + pixel;
          const T slope = a.slopes[at], g = dy[c];  // dx may be dy
          if (a.dslopes && x[c] < 0) a.dslopes[at] -= x[c] * g;
          if (dx) dx[c] = x[c] < 0 ? (T(1) - slope) * g : g;
        }
      }
    });
  }
};

template <Dims D, class T, class Device> struct BoundSlopedRelu : BoundSameShape<D, T, Device> {
  using Same = BoundSameShape<D, T, Device>;
  using typename Same::In, typename Same::Out;

  [[gnu::cold]] static int describe(GraphBuilder& g, int input) {
    Node node = Same::node(Kind::activation, "sloped_relu", input);
    node.relu = true;
    node.parameters.push_back({"slope", {D.c, D.h, D.w}, ParameterKind::scale, Init::ones});
    node.reads.input = reads::always;
    return g.add(std::move(node));
  }
  template <class P> static void forward(In x, Out& y, P& pass, int site) {
    y.dims.c = x.dims.c;
    pass.run(op::sloped_relu_forward<T>{.x = x, .y = y, .slopes = pass.parameter(site)});
  }
  template <class P, class Sink> static void backward(In dy, Out dx, Sink sink, P& pass, int site) {
    T* dslopes = nullptr;
    if constexpr (wants_grads<Sink>) dslopes = sink.base + pass.sites[site].parameters;
    if (!dx && !dslopes) return;
    const In x = pass.records[site].x;
    pass.run(op::sloped_relu_backward<T>{
        .x = x, .dy = dy, .dx = dx, .slopes = pass.parameter(site), .dslopes = dslopes});
  }
};

namespace act {
/// a relu(x) + (1 - a) x with a trained slope a(c, h, w), the parameter `slope`, ones at first. On
/// the CPU.
struct SlopedRelu : SameShape {
  template <class In, class Device, class T> using bind = BoundSlopedRelu<In::dims, T, Device>;
};
}  // namespace act

}  // namespace rnx::inline RNX_ISA
