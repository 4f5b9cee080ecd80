// A ReLU whose negative side has a trained slope at every position (Cho et al. 2022, "Selective
// Network Linearization for Efficient Private Inference").
#pragma once

#include "rnx/layers/activation.hpp"
#include "rnx/linearize/cpu.hpp"

namespace rnx::inline RNX_ISA {

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
/// a relu(x) + (1 - a) x with a trained slope a(c, h, w), the parameter `slope`, ones at first.
struct SlopedRelu : SameShape {
  template <class In, class Device, class T> using bind = BoundSlopedRelu<In::dims, T, Device>;
};
}  // namespace act

}  // namespace rnx::inline RNX_ISA
