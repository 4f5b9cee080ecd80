// What convolution and linear layers compute: y = x * theta + b, or where a map of quant/maps.hpp
// or a kernel rule stands between, what convolution_bases.hpp says. theta keeps the field's order
// (O, I / groups, KH, KW); prepared weights hold what kernels read.
#pragma once

#include "rnx/layers/convolution_bases.hpp"
#include "rnx/layers/convolution_node.hpp"

namespace rnx::inline RNX_ISA {

/// S: sizes. W: weight map. A: activation map. Width, Kernel: what a subnet may choose.
template <ConvShape S, class W, class A, class Width, class Kernel, class T, class Device>
struct BoundConv {
  static constexpr bool leaf = true, fusible = true;
  using In = View<const T, Device>;
  using Out = View<T, Device>;

  /// What a bound convolution asks of its policies, in describe's own body: clang's output is then
  /// one error.
  [[gnu::cold]] static int describe(GraphBuilder& g, int input) {
    static_assert(!W::identity || (W::bases == 1 && !W::scaled),
                  "rnx: a weight map that is the identity has one base and no scales");
    static_assert(!A::identity || (A::bases == 1 && !A::scaled),
                  "rnx: an activation map that is the identity has one base and no scales");
    static_assert(quant::describes_parameters<W>() && quant::describes_parameters<A>(),
                  "rnx: a map describes what it learns in `static constexpr std::array parameters` "
                  "of quant::MapParameter; one that learns nothing has no such member");
    static_assert(!A::scaled || Layout::betas_first,
                  "rnx: an activation map with scales learns first its betas: the first of its "
                  "parameters is of the layer, with a number for each base");
    using quant_detail::Lacks;
    constexpr Lacks w = quant_detail::lacks_of_weights<W, Device, T>,
                    a = quant_detail::lacks_of_activations<A, Device, T>;
    static_assert(w != Lacks::forward && a != Lacks::forward,
                  "rnx: this map has no kernel on the CPU: derive it from quant::Elementwise, or "
                  "specialise kernel<cpu, op::weight_bases<Map, T>> (op::activation_bases) and "
                  "that of ..._backward; see quant/maps.hpp");
    static_assert(w != Lacks::backward && a != Lacks::backward,
                  "rnx: this map has a kernel forward and none backward: specialise kernel<cpu, "
                  "op::weight_bases_backward<Map, T>> (op::activation_bases_backward)");
    static_assert(Layout::exact,
                  "rnx: a layer of Int8Weights and Int8Activation has more than 1032 products in a "
                  "sum, which float does not hold exactly");
    static_assert(S.groups == 1 || Width::slot_count == 0,
                  "rnx: a convolution in groups has no width to choose");
    static_assert(!Layout::derived || W::identity,
                  "rnx: a learned kernel transform takes full-precision weights");
    Node node = ConvNode<S, W, A>::begin(g, input);
    const auto bases = Layout::bases_of({node.weight_bits, node.activation_bits});
    describe_parameters(node, bases);
    node.slot_count = Width::slot_count + Kernel::slot_count;
    if (Width::slot_count) node.slot_names.push_back(Width::slot_name);
    if (Kernel::slot_count) node.slot_names.push_back("kernel");
    node.reads.input =
        reads::parameter_gradient | (A::identity ? reads::none : reads::input_gradient);
    node.prepared = typename Layout::Prepared(bases).size();
    node.fusible = true;
    node.binarizes = Layout::binary;
    if (!A::identity) {
      node.scratch.forward = Layout::binary ? Layout::bits_of_sample(bases.activations)
                                            : bases.activations * Layout::padded_input(1);
      node.scratch.backward = work_of_bases(1);
    }
    node.scratch.backward_fixed = S.weights() * (Layout::plain_weights ? 1 : 2);
    return g.add(std::move(node));
  }

  /// Computes the weight map and packs its bases: once per version of the parameters.
  template <class P> static int prepare(int c_in, P& pass, int site) {
    const ActiveConv a = Layout::active(c_in, pass, site);
    T* p = pass.prepared(site);
    if constexpr (Layout::plain_weights)
      Operations::pack(pass, a.w, pass.parameter(site), p,
                       p + Layout::prepared(pass, site).backward.at);
    else
      WeightBases::prepare(pass, site, a);
    if constexpr (Layout::factored) WeightBases::prepare_factors(pass, site, a);
    return a.out;
  }

  template <class P> static void forward(In x, Out& y, P& pass, int site) {
    const ActiveConv a = Layout::active(x.dims.c, pass, site);
    y.dims.c = a.out;
    const T* bias = S.bias ? pass.parameter(site, Layout::Parameters::bias.at) : nullptr;
    if constexpr (Layout::plain_input && !Layout::factored)
      Operations::forward(pass, {.x = x,
                                 .w = pass.prepared(site),
                                 .bias = bias,
                                 .y = y,
                                 .filter = Layout::filter(a, a.pad)});
    else
      ActivationBases::forward(x, y, bias, pass, site, a);
  }

  template <class P, class Sink> static void backward(In dy, Out dx, Sink sink, P& pass, int site) {
    const In x = pass.records[site].x;
    const ActiveConv a = Layout::active(x.dims.c, pass, site);
    if constexpr (Layout::plain_input) {
      const geometry::Filter filter = Layout::filter(a, a.pad);
      // the input gradient last: what follows can be fused with it
      if constexpr (wants_grads<Sink>) parameter_gradients(sink, pass, site, a, x, dy, filter);
      if (dx)
        Operations::backward_input(pass, dy, Operations::backward_weights(pass, site), dx, filter);
    } else {
      backward_through_bases(dy, dx, sink, pass, site, a);
    }
  }

 private:
  using Layout = ConvLayout<S, W, A, Width, Kernel, T, Device>;
  using Operations = ConvOperations<Layout>;
  using WeightBases = ConvWeightBases<Layout>;
  using ActivationBases = ConvActivationBases<Layout>;

  [[gnu::cold]] static void describe_parameters(Node& node, const typename Layout::Bases& bases) {
    if (S.linear)
      node.parameters.push_back(
          {"weight", {S.out.c, int(S.in.count())}, ParameterKind::weight, Init::uniform_fan_in});
    else
      node.parameters.push_back({"weight",
                                 {S.out.c, S.in_group(), S.kh, S.kw},
                                 ParameterKind::weight,
                                 Init::kaiming_normal});
    ConvNode<S, W, A>::bias(node);
    if constexpr (Kernel::slot_count > 0) Kernel::describe(node);
    ConvNode<S, W, A>::template map<A>(node, "activation.", bases.activations, S.in.c,
                                       ChannelAxes::input);
    ConvNode<S, W, A>::template map<W>(node, "weight_map.", bases.weights, S.out.c,
                                       ChannelAxes::output);
  }

  /// The convolution's input was the padded sum of the activation map's bases.
  template <class P, class Sink>
  static void backward_through_bases(In dy, Out dx, Sink sink, P& pass, int site,
                                     const ActiveConv& a) {
    const In x = pass.records[site].x;
    const geometry::Map wide = geometry::padded(geometry::map(x), a.pad);
    const geometry::Filter filter = Layout::filter(a, 0);
    const op::Map<T> sum(wide, pass.work_backward(site));
    const op::Map<T> dsum(wide, sum.data + wide.n * wide.sample());
    T* dparameters = nullptr;
    if constexpr (wants_grads<Sink>) {
      ActivationBases::sum(pass, site, a, x, sum.data);
      parameter_gradients(sink, pass, site, a, sum, dy, filter);
      const Section learned = Layout::parameters(pass, site).activation;
      if (learned.size) dparameters = sink.base + pass.sites[site].parameters + learned.at;
    }
    if (!dx && !dparameters) return;
    Operations::backward_input(pass, dy, Operations::backward_weights(pass, site), dsum, filter);
    ActivationBases::backward(pass, site, a, x, dx, dsum.data, dparameters);
  }

  /// x: what the convolution read.
  template <class P>
  static void parameter_gradients(GradSink<T> sink, P& pass, int site, const ActiveConv& a,
                                  const op::Map<const T>& x, const op::Map<const T>& dy,
                                  const geometry::Filter& filter) {
    T* gradient = sink.base + pass.sites[site].parameters;
    T* dw = pass.work_backward(site) + work_of_bases(pass.n);
    Operations::backward_weight(pass, x, dy, dw, filter);
    if constexpr (Layout::plain_weights)
      Operations::unpack(pass, a.w, dw, gradient);
    else
      WeightBases::backward(pass, site, a, dw, dw + S.weights(), gradient);
    if constexpr (S.bias)
      pass.run(op::bias_backward<T>{.dy = dy, .db = gradient + Layout::Parameters::bias.at});
  }

  /// Elements of the sum over bases and of its gradient, for n samples.
  static constexpr std::size_t work_of_bases(std::size_t n) {
    return Layout::plain_input ? 0 : 2 * Layout::padded_input(n);
  }
};

}  // namespace rnx::inline RNX_ISA
