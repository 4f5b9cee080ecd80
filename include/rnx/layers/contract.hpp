// What a layer is: a spec, which says what it computes, and a bound layer, which computes it. A
// type that is neither is named in one sentence of the compiler's (core/fault.hpp), with the index
// and the input of the place where it stands.
#pragma once

#include <concepts>

#include "rnx/layers/pass.hpp"

namespace rnx::inline RNX_ISA {

/// An empty type with hyper-parameters.
///
/// Requires
///   sites           operations it is: how many numbers a network gives it
///   fault(in)       why it rejects samples of shape `in`, or Fault::none
///   out_dims(in)    the shape that it returns; asked only where fault(in) is none
///   bind<In, Device, T>    its BoundLayer (unless `sites` is 0)
/// Ensures that equal specs compute the same: it has no state.
template <class Spec>
concept LayerSpec = std::is_empty_v<Spec> && requires(Dims in) {
  { Spec::sites } -> std::convertible_to<int>;
  { Spec::fault(in) } -> std::same_as<Fault>;
  { Spec::out_dims(in) } -> std::same_as<Dims>;
};

/// Static functions for one input shape, device and scalar.
///
/// Requires
///   leaf                              whether it is one site, which Pass records
///   describe(graph, input)            adds its nodes, one for each site, in the order of sites;
///                                     `input`: the node that it reads (-1: the image). Returns the
///                                     node of its output
///   prepare(c_in, pass, site)         weight maps, once for a version of the parameters. Returns
///                                     the active channels of its output, given those of its input
///   forward(x, y, pass, site)         y = f(x; theta), assigned; y arrives with its largest number
///                                     of channels and leaves with the active ones
///   backward(dy, dx, sink, pass, site)    dx = (df/dx)^T dy, assigned (empty: unwanted); parameter
///                                     gradients are added to the sink. Instantiated with NoGrads
///                                     and with GradSink<T>
/// Ensures that forward and backward change nothing but the pass's memory: several threads run one
/// network, each with a pass of its own. Where `fusible` is true, it touches maps by pass.run
/// alone.
template <class L, class Device, class T>
concept BoundLayer = requires(GraphBuilder& graph, Pass<T, Device>& pass,
                              View<const T, Device> read, View<T, Device> written,
                              GradSink<T> sink) {
  { L::leaf } -> std::convertible_to<bool>;
  { L::describe(graph, 0) } -> std::convertible_to<int>;
  { L::prepare(0, pass, 0) } -> std::convertible_to<int>;
  L::forward(read, written, pass, 0);
  L::backward(read, written, sink, pass, 0);
  L::backward(read, written, NoGrads{}, pass, 0);
};

/// What composites ask of a child. One that is no LayerSpec counts as a layer that rejects every
/// input, so that the sentence about it is the only error.
namespace layer {
template <class Spec> constexpr int sites() {
  if constexpr (LayerSpec<Spec>)
    return Spec::sites;
  else
    return 1;
}
template <class Spec> constexpr Dims out_dims(Dims in) {
  if constexpr (LayerSpec<Spec>)
    return Spec::out_dims(in);
  else
    return in;
}
template <class Spec> constexpr Fault fault(Dims in) {
  if constexpr (LayerSpec<Spec>)
    return Spec::fault(in);
  else
    return Fault::no_layer;
}
}  // namespace layer

/// Base of specs of one operation that returns the shape that it takes.
struct SameShape {
  static constexpr int sites = 1;
  static constexpr Dims out_dims(Dims in) { return in; }
  static constexpr Fault fault(Dims in) { return in.valid() ? Fault::none : Fault::empty_input; }
};

/// Base of their bound layers, for samples of shape D.
template <Dims D, class T, class Device> struct BoundSameShape {
  static constexpr bool leaf = true;
  using In = View<const T, Device>;
  using Out = View<T, Device>;

  /// The node of the operation, which reads node `input`.
  static Node node(Kind kind, const char* operation, int input) {
    Node n;
    n.kind = kind;
    n.operation = operation;
    n.inputs = {input};
    n.in = n.out = D;
    return n;
  }
  template <class P> static int prepare(int c_in, P&, int) { return c_in; }
};

}  // namespace rnx::inline RNX_ISA
