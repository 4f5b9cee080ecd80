// What convolutions say of themselves alike, whatever their weights are kept as.
#pragma once

#include <cmath>

#include "rnx/layers/convolution_shape.hpp"
#include "rnx/layers/node.hpp"

namespace rnx::inline RNX_ISA {

/// S: sizes. W: weight map. A: activation map.
template <ConvShape S, class W, class A> struct ConvNode {
  [[gnu::cold]] static Node begin(int input) {
    Node node;
    node.kind = S.linear ? Kind::linear : Kind::convolution;
    node.operation = S.linear ? "linear" : S.depthwise() ? "depthwise" : "conv2d";
    node.inputs = {input};
    node.in = S.in;
    node.out = S.out;
    node.kernel_h = S.kh;
    node.kernel_w = S.kw;
    node.stride = S.stride;
    node.pad = S.pad;
    node.groups = S.groups;
    node.bias = S.bias;
    node.weight_bits = W::bits;
    node.weight_bases = W::bases;
    node.activation_bits = A::bits;
    node.weight_scales = quant::stored_scales<W>(S.out.c);
    return node;
  }

  [[gnu::cold]] static void bias(Node& node) {
    if (S.bias)
      node.parameters.push_back({"bias",
                                 {S.out.c},
                                 ParameterKind::bias,
                                 Init::uniform_fan_in,
                                 double(S.in_group() * S.kh * S.kw)});
  }

  /// What a map learns, under a name that begins with `prefix`.
  template <class Map>
  [[gnu::cold]] static void map(Node& node, const std::string& prefix, int channels,
                                ChannelAxes axes) {
    // of the weight as it starts: of kaiming_normal, or of a linear layer's uniform_fan_in
    const double deviation = S.linear ? 1 / std::sqrt(3.0 * double(S.in.count()))
                                      : std::sqrt(2.0 / (double(S.out.c) * S.kh * S.kw));
    for (const quant::MapParameter& p : quant::parameters_of<Map>()) {
      std::vector<int> shape;
      if (p.per == quant::Per::channel) shape.push_back(channels);
      if (p.per == quant::Per::layer || p.count > 1) shape.push_back(p.count);
      node.parameters.push_back(
          {.name = prefix + p.name,
           .shape = shape,
           .kind = p.kind,
           .init = p.init,
           .value = p.of_deviation ? p.value * deviation : p.value,
           .channels = p.per == quant::Per::channel ? axes : ChannelAxes::none});
    }
  }
};

}  // namespace rnx::inline RNX_ISA
