// What convolutions say of themselves alike, whatever their weights are kept as.
#pragma once

#include <cmath>

#include "rnx/layers/convolution_shape.hpp"
#include "rnx/layers/node.hpp"

namespace rnx::inline RNX_ISA {

/// S: sizes. W: weight map. A: activation map.
template <ConvShape S, class W, class A> struct ConvNode {
  [[gnu::cold]] static Node begin(GraphBuilder& g, int input) {
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
    node.weight_bits = bits<W>("weights", g.bits.weights, g.tells_weights);
    node.weight_bases = quant::bases_of<W>(node.weight_bits);
    node.activation_bits = bits<A>("activations", g.bits.activations, g.tells_activations);
    node.weight_scales = quant::stored_scales<W>(S.out.c, node.weight_bases);
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
  [[gnu::cold]] static void map(Node& node, const std::string& prefix, int bases, int channels,
                                ChannelAxes axes) {
    // of the weight as it starts: of kaiming_normal, or of a linear layer's uniform_fan_in
    const double deviation = S.linear ? 1 / std::sqrt(3.0 * double(S.in.count()))
                                      : std::sqrt(2.0 / (double(S.out.c) * S.kh * S.kw));
    for (const quant::MapParameter& p : quant::parameters_of<Map>(bases)) {
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

 private:
  /// A map's bits: of the type, or told.
  /// Errors: UsageError (what it is told is out of range).
  template <class Map>
  [[gnu::cold]] static int bits(const char* of, int told, [[maybe_unused]] bool& tells) {
    if constexpr (quant::told<Map> == quant::Told::nothing) {
      return Map::bits;
    } else {
      tells = true;
      require<UsageError>(told >= Map::least && told <= Map::most, [&] {
        const char* const what = quant::told<Map> == quant::Told::bases ? "bases" : "bits";
        return "network: its " + std::string(of) + " have a number of " + what +
               " known at run time; Network(seed, classes, {.weights = M, .activations = N}) "
               "takes " +
               std::to_string(Map::least) + " to " + std::to_string(Map::most) + ", found " +
               std::to_string(told);
      });
      return told;
    }
  }
};

}  // namespace rnx::inline RNX_ISA
