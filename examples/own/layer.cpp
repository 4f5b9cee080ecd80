// A layer: channel shuffle (Zhang et al. 2018, "ShuffleNet"), which reads and writes host memory
// itself. One made of the library's operations runs on every device: examples/02_own_layer.cpp.
#include <rnx/net.hpp>

#include <cstdio>

using namespace rnx;

template <int G, Dims D, class T, class Device> struct BoundShuffle : BoundSameShape<D, T, Device> {
  static_assert(std::is_same_v<Device, cpu>, "the channel shuffle is written for host memory");
  using Same = BoundSameShape<D, T, Device>;
  using typename Same::In, typename Same::Out;

  /// Backward reads neither input nor output, so the trace need not keep them: nothing more to say.
  static int describe(GraphBuilder& g, int input) {
    return g.add(Same::node(Kind::other, "channel_shuffle", input));
  }
  /// Channel (group, k) of x becomes channel (k, group) of y.
  template <class P> static void forward(In x, Out& y, P&, int) {
    y.dims.c = x.dims.c;  // the active channels
    const int each = x.dims.c / G;
    for (int p = 0; p < x.n * x.dims.pixels(); ++p)
      for (int c = 0; c < x.dims.c; ++c)
        y.data[p * y.stride + c % each * G + c / each] = x.data[p * x.stride + c];
  }
  /// The transpose: the gradient goes back the way the value came.
  template <class P, class Sink> static void backward(In dy, Out dx, Sink, P&, int) {
    if (!dx) return;  // nobody wants it
    const int each = dy.dims.c / G;
    for (int p = 0; p < dy.n * dy.dims.pixels(); ++p)
      for (int c = 0; c < dy.dims.c; ++c)
        dx.data[p * dx.stride + c] = dy.data[p * dy.stride + c % each * G + c / each];
  }
};

template <int G> struct ChannelShuffle : SameShape {
  static constexpr Fault fault(Dims in) {
    return in.c % G ? Fault::groups : SameShape::fault(in);  // one sentence of the compiler's
  }
  template <class In, class Device, class T> using bind = BoundShuffle<G, In::dims, T, Device>;
};

using Spec = Sequential<Named<"conv1", Conv<6, 1, Groups<3>>>, ChannelShuffle<3>,
                        Named<"conv2", Conv<6, 3, Groups<3>>>, Named<"relu", act::Relu>,
                        GlobalAveragePool, Named<"fc", Linear<2>>>;

int main() {
  Network<ChannelShuffle<2>, Shape<6>> alone;
  Tensor<> channels(1, alone.input_dims());
  for (int c = 0; c < 6; ++c) channels.data()[c] = float(c);
  auto one = alone.make_trace({});
  const auto shuffled = alone.forward(one, channels.view(), {});
  const std::vector<float> expected{0, 3, 1, 4, 2, 5};
  const bool right = std::equal(expected.begin(), expected.end(), shuffled.data);

  // inside a network, the gradient of the image against central differences
  Network<Spec, Shape<3, 5, 5>, cpu, precision::Double> net(1);
  Tensor<double> x(2, net.input_dims()), dx(2, net.input_dims());
  for (std::size_t k = 0; k < x.size(); ++k) x.data()[k] = rng::Stream(1, Purpose::test).uniform(k);
  auto trace = net.make_trace({.use = Use::input_gradient, .capacity = 2, .tiled = false});
  const loss::Labels<> labels(std::vector<std::int32_t>{0, 1}, net.classes());
  loss::Values<double> values(2);
  const auto value = [&] {
    net.forward(trace, x.view(), {});
    return loss::mean(loss::CrossEntropy{.labels = labels.data()}, trace, values);
  };
  value();
  net.backward(trace, dx.view(), nullptr);
  double worst = 0;
  for (std::size_t k = 0; k < x.size(); ++k) {
    const auto at = [&](double d) { return x.data()[k] += d, value(); };
    const double up = at(1e-5), down = at(-2e-5);
    at(1e-5);
    worst = std::max(worst, std::abs((up - down) / 2e-5 - dx.data()[k]));
  }
  std::printf("shuffled %s, largest difference %.1e\n", right ? "right" : "wrong", worst);
  return right && worst < 1e-8 ? 0 : 1;
}
