// The linear layer of a classifier whose number of classes is known at run time: y = W x + b over
// the whole sample, as Linear<Classes> with the same parameters, operations and bits. The network's
// constructor takes the number; every offset that depends on it is computed, so that one compiled
// family serves all data sets.
#pragma once

#include "rnx/layers/options.hpp"

namespace rnx::inline RNX_ISA {

/// D: shape of one sample. B: whether there is a bias.
template <Dims D, bool B, class T, class Device> struct BoundClassifier {
  static constexpr bool leaf = true, fusible = true;
  static constexpr int inputs = int(D.count());
  using In = View<const T, Device>;
  using Out = View<T, Device>;

  [[gnu::cold]] static int describe(GraphBuilder& g, int input) {
    require<UsageError>(g.classes >= 1 && g.classes <= maximum_classes, [&] {
      return "network: its number of classes is known at run time; Network(seed, classes) takes 1 "
             "to " +
             std::to_string(maximum_classes) + ", found " + std::to_string(g.classes);
    });
    Node node;
    node.kind = Kind::linear;
    node.operation = "linear";
    node.inputs = {input};
    node.in = D;
    node.out = {g.classes, 1, 1};
    node.kernel_h = D.h;
    node.kernel_w = D.w;
    node.bias = B;
    node.parameters.push_back(
        {"weight", {g.classes, inputs}, ParameterKind::weight, Init::uniform_fan_in});
    if (B) {
      node.parameters.push_back(
          {"bias", {g.classes}, ParameterKind::bias, Init::uniform_fan_in, double(inputs)});
    }
    node.reads.input = reads::parameter_gradient;
    node.prepared =
        backward_at(g.classes) + round_up(weights(g.classes, D.c).packed_backward(), 16);
    node.fusible = true;
    node.scratch.backward_fixed = weights(g.classes, D.c).count();
    return g.add(std::move(node));
  }

  template <class P> static int prepare(int c_in, P& pass, int site) {
    const int classes = pass.sites[site].out.c;
    pass.run(op::pack_weights<T>{.g = weights(classes, c_in),
                                 .theta = pass.parameter(site),
                                 .forward = pass.prepared(site),
                                 .backward = pass.prepared(site, backward_at(classes))});
    return classes;
  }

  template <class P> static void forward(In x, Out& y, P& pass, int site) {
    const int classes = pass.sites[site].out.c;
    pass.run(op::conv2d_forward<T>{.x = x,
                                   .w = pass.prepared(site),
                                   .bias = B ? pass.parameter(site, bias_at(classes)) : nullptr,
                                   .y = y,
                                   .filter = filter});
  }

  template <class P, class Sink> static void backward(In dy, Out dx, Sink sink, P& pass, int site) {
    const int classes = pass.sites[site].out.c;
    if constexpr (wants_grads<Sink>) {
      const In x = pass.records[site].x;
      T* dtheta = sink.base + pass.sites[site].parameters;
      T* dw = pass.work_backward(site);
      pass.run(op::conv2d_backward_weight<T>{.x = x, .dy = dy, .dw = dw, .filter = filter});
      pass.run(
          op::unpack_gradient<T>{.g = weights(classes, x.dims.c), .dense = dw, .dtheta = dtheta});
      if constexpr (B) {
        pass.run(op::bias_backward<T>{.dy = dy, .db = dtheta + bias_at(classes)});
      }
    }
    if (dx) {
      pass.run(op::conv2d_backward_input<T>{
          .dy = dy, .w = pass.prepared(site, backward_at(classes)), .dx = dx, .filter = filter});
    }
  }

 private:
  // parameters: weight (classes, inputs) | bias (classes)
  static std::size_t bias_at(int classes) { return std::size_t(classes) * inputs; }
  // prepared: the forward pack | the backward pack
  static std::size_t backward_at(int classes) {
    return round_up(weights(classes, D.c).packed_forward(), 16);
  }
  /// c_in: active input channels; the strides are those of all.
  static geometry::Weights weights(int classes, int c_in) {
    return {.groups = 1,
            .o = classes,
            .i = c_in,
            .kh = D.h,
            .kw = D.w,
            .so = inputs,
            .si = long(D.h) * D.w,
            .sh = D.w,
            .sw = 1,
            .sg = long(classes) * inputs};
  }
  static constexpr geometry::Filter filter{.kh = D.h, .kw = D.w};
};

}  // namespace rnx::inline RNX_ISA
