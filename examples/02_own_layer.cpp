// 02: layers of your own. An activation is a functor; any other layer is a spec (what it is) and a
// bound layer (what it does).
#include <rnx/net.hpp>

#include <cstdio>

using namespace rnx;

/// x / (1 + exp(-x)). Activation<Silu> is the layer; backward multiplies by derivative() of what
/// `reads` names.
struct Silu {
  static constexpr const char* name = "silu";
  static constexpr functor::Reads reads = functor::Reads::input;
  static constexpr bool relu = false;  // not counted in ReLU budgets
  template <class T> RNX_SHARED static T forward(T x) { return x / (1 + std::exp(-x)); }
  template <class T> RNX_SHARED static T derivative(T x) {
    const T s = 1 / (1 + std::exp(-x));
    return s * (1 + x * (1 - s));
  }
};

/// y = s(c) x with a learned s. Made of operations that the library has, so it runs on every
/// device.
template <Dims D, class T, class Device> struct BoundChannelScale : BoundSameShape<D, T, Device> {
  using Same = BoundSameShape<D, T, Device>;
  using typename Same::In, typename Same::Out;

  /// One node: names, parameters, what backward reads, scratch memory.
  static int describe(GraphBuilder& g, int input) {
    Node node = Same::node(Kind::other, "channel_scale", input);
    node.parameters.push_back({.name = "weight",
                               .shape = {D.c},
                               .kind = ParameterKind::scale,
                               .init = Init::ones,
                               .channels = ChannelAxes::output});
    // an input gradient alone does not read x: attacks need not keep it
    node.reads.input = reads::parameter_gradient;
    node.scratch.backward = D.c;  // per sample
    return g.add(std::move(node));
  }
  template <class P> static void forward(In x, Out& y, P& pass, int site) {
    y.dims.c = x.dims.c;
    pass.run(op::scale_channels<T>{.x = x, .s = factors(x, pass, site), .y = y});
  }
  template <class P, class Sink> static void backward(In dy, Out dx, Sink sink, P& pass, int site) {
    if (dx) pass.run(op::scale_channels<T>{.x = dy, .s = factors(dy, pass, site), .y = dx});
    if constexpr (wants_grads<Sink>) {  // ds(c) += sum over samples and pixels of dy x
      const In x = pass.records[site].x;
      const op::Map<T> products{{.n = x.n, .c = x.dims.c, .stride = D.c}, pass.work_backward(site)};
      pass.run(op::scale_channels_gate<T>{.x = x, .dy = dy, .ds = products});
      pass.run(op::bias_backward<T>{.dy = products, .db = sink.base + pass.sites[site].parameters});
    }
  }
  /// s(c): pixels 0 elements apart, the same factors for every sample.
  template <class P> static op::Map<const T> factors(In x, const P& pass, int site) {
    return {{.n = x.n, .c = x.dims.c, .stride = 0}, pass.parameter(site)};
  }
};
struct ChannelScale : SameShape {
  template <class In, class Device, class T> using bind = BoundChannelScale<In::dims, T, Device>;
};

using Spec = Sequential<Named<"conv", Conv<6, 3>>, Named<"scale", ChannelScale>,
                        Named<"act", Activation<Silu>>, GlobalAveragePool, Named<"fc", Linear<4>>>;

int main() {
  Network<Spec, Shape<3, 8, 8>, cpu, precision::Double> net(1);
  Tensor<double> x(2, net.input_dims());
  for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = rng::Stream(1, Purpose::test).uniform(i);
  const loss::Labels<> labels(std::vector<std::int32_t>{0, 3}, net.classes());
  auto trace = net.make_trace({.use = Use::train, .capacity = 2});
  auto grads = net.make_grads();
  loss::Values<double> values(2);
  const auto value = [&] {
    return net.forward(trace, x.view(), {}),
           loss::mean(loss::CrossEntropy{.labels = labels.data()}, trace, values);
  };
  value();
  net.backward(trace, {}, &grads);
  double worst = 0;  // every parameter against a central difference
  for (const NamedParameter& p : net.parameter_list())
    for (std::size_t i = p.offset; i < p.offset + p.count; ++i) {
      const auto at = [&](double d) { return net.mutable_parameters()[i] += d, value(); };
      const double h = 1e-5, up = at(h), down = at(-2 * h), difference = (up - down) / (2 * h);
      at(h);
      worst = std::max(worst, std::abs(difference - grads.flat.data()[i]));
    }
  std::printf("%zu parameters, largest difference to central differences %.1e\n",
              net.parameter_count(), worst);
  return worst < 1e-8 ? 0 : 1;
}
