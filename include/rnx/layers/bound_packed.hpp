// A packed convolution: the signs of its weight bases as bits, and their scales; no weights. It
// computes what the convolution that was packed computes, forward and its input gradient, bit for
// bit. It is not trained.
#pragma once

#include "rnx/layers/convolution_bases.hpp"
#include "rnx/layers/convolution_node.hpp"

namespace rnx::inline RNX_ISA {

/// S: sizes. W: quant::Packed<a map of signs>. A: activation map.
///   parameters   "bias", what A learns, "scales" (bases, out) where W has some
///   buffers      "bits": words as geometry::BitWeights has them
template <ConvShape S, class W, class A, class T, class Device> struct BoundPackedConv {
  static constexpr bool leaf = true, fusible = true;
  using In = View<const T, Device>;
  using Out = View<T, Device>;

  [[gnu::cold]] static int describe(GraphBuilder& g, int input) {
    using Describe = ConvNode<S, W, A>;
    Node node = Describe::begin(g, input);
    const auto bases = Layout::bases_of({node.weight_bits, node.activation_bits});
    Describe::bias(node);
    Describe::template map<A>(node, "activation.", bases.activations, S.in.c, ChannelAxes::input);
    node.weight_scales = 0;  // they are a parameter
    if (W::scaled)
      node.parameters.push_back({.name = "scales",
                                 .shape = {bases.weights, S.out.c},
                                 .kind = ParameterKind::scale,
                                 .init = Init::ones,
                                 .channels = ChannelAxes::none});
    node.buffers.push_back({.name = "bits",
                            .shape = {int(Layout::words(bases.weights))},
                            .kind = ParameterKind::bits,
                            .init = Init::zeros,
                            .channels = ChannelAxes::none});
    node.reads.input = reads::input_gradient;
    node.prepared = typename Layout::Prepared(bases).size();
    node.fusible = node.binarizes = true;
    node.scratch.forward = Layout::bits_of_sample(bases.activations);
    node.scratch.backward = Layout::padded_input(1);
    node.scratch.backward_fixed = work_of(bases.weights);
    return g.add(std::move(node));
  }

  template <class P> static int prepare(int c_in, P& pass, int site) {
    const ActiveConv a = Layout::active(c_in, pass, site);
    if constexpr (Layout::factored) ConvWeightBases<Layout>::prepare_factors(pass, site, a);
    return a.out;
  }

  template <class P> static void forward(In x, Out& y, P& pass, int site) {
    const T* bias = S.bias ? pass.parameter(site, Layout::Parameters::bias.at) : nullptr;
    ActivationBases::forward_binary(x, y, bias, words_at(pass.buffer(site)), pass, site);
  }

  /// The weights are made from their bits again, in the memory of the pass.
  /// Errors: UsageError (gradients of parameters).
  template <class P, class Sink> static void backward(In dy, Out dx, Sink, P& pass, int site) {
    require<UsageError>(!wants_grads<Sink>,
                        "backward: a packed convolution has no weights to train; train the network "
                        "that was packed");
    if (!dx) return;
    const In x = pass.records[site].x;
    const ActiveConv a = Layout::active(x.dims.c, pass, site);
    const auto M = Layout::bases(pass, site).weights;
    T* const work = pass.work_backward(site);
    pass.run(op::unpack_binary<T>{.g = Layout::bit_weights(M, S.in.c, S.out.c),
                                  .words = words_at(pass.buffer(site)),
                                  .base = work + Work::bases});
    pass.run(op::sum_bases<T>{
        .bases = M,
        .rows = S.out.c,
        .row = S.weights() / S.out.c,
        .base = work + Work::bases,
        .scale = W::scaled ? pass.parameter(site, Layout::parameters(pass, site).weight_map.at)
                           : nullptr,
        .y = work + Work::sum});
    Operations::pack(pass, Layout::maxima, work + Work::sum, nullptr, work);
    const op::Map<T> dsum(geometry::padded(geometry::map(x), a.pad), work + work_of(M));
    Operations::backward_input(pass, dy, work, dsum, Layout::filter(a, 0));
    ActivationBases::backward(pass, site, a, x, dx, dsum.data, nullptr);
  }

 private:
  using Layout = ConvLayout<S, W, A, width::Fixed, kernel_rule::Fixed, T, Device>;
  using Operations = ConvOperations<Layout>;
  using ActivationBases = ConvActivationBases<Layout>;

  /// In the memory of backward: the pack that it reads, then what that is made of.
  struct Work {
    static constexpr std::size_t sum = Layout::backward_pack_size, bases = sum + S.weights();
  };
  /// Elements of all of it.
  static constexpr std::size_t work_of(int bases) {
    return round_up(Work::bases + bases * S.weights(), 16);
  }
};

}  // namespace rnx::inline RNX_ISA
