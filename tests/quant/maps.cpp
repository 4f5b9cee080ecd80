// Every pair of maps against sums written out in double: logits and gradients, over groups,
// strides, padding values and channel counts that are and are not multiples of a vector; and a
// weight map and a kernel rule of a user's own.
#include <doctest/doctest.h>

#include <rnx/network.hpp>

#include "quant/bases.hpp"

using namespace rnx;

namespace {

/// Binary weights with one scale per output, the mean of |w| (Rastegari et al. 2016): a map of a
/// user's own, with scales that differ.
struct MeanScaled {
  using option = rnx::option::weight_map;
  static constexpr int bases = 1, bits = 1;
  static constexpr bool identity = false, scaled = true, valid = true;
};

}  // namespace

template <class T> struct rnx::kernel<cpu, op::weight_bases<MeanScaled, T>> {
  static void run(Stream, const op::weight_bases<MeanScaled, T>& a) {
    const std::size_t row = a.g.count() / (a.g.groups * a.g.o);
    for (int o = 0; o < a.g.groups * a.g.o; ++o) {
      T sum = 0;
      for (std::size_t i = 0; i < row; ++i) {
        const T w = a.theta[o * row + i];
        a.bases[o * row + i] = w < 0 ? -1 : 1;
        sum += std::abs(w);
      }
      a.scales[o] = sum / T(row);
    }
  }
};
/// The scale is taken as a constant: dtheta = scale dsum.
template <class T> struct rnx::kernel<cpu, op::weight_bases_backward<MeanScaled, T>> {
  static void run(Stream, const op::weight_bases_backward<MeanScaled, T>& a) {
    const std::size_t row = a.g.count() / (a.g.groups * a.g.o);
    for (std::size_t i = 0; i < a.g.count(); ++i) a.dtheta[i] += a.scales[i / row] * a.dsum[i];
  }
};

namespace {

/// Bases (m, i), scales (m, o) and the surrogate's factor for each weight.
struct Weights {
  std::vector<std::vector<double>> base, scale;
  std::vector<double> slope;
};
template <class W> Weights weights_of(const std::vector<double>& theta, int outputs) {
  Weights w{.base = {theta},
            .scale = {std::vector<double>(outputs, 1)},
            .slope = std::vector<double>(theta.size(), 1)};
  const std::size_t row = theta.size() / outputs;
  for (std::size_t i = 0; i < theta.size(); ++i) {
    if constexpr (std::is_same_v<W, MeanScaled>)
      w.scale[0][i / row] += std::abs(theta[i]) / double(row) - (i % row ? 0 : 1);
    if constexpr (!W::identity) {
      w.base[0][i] = theta[i] < 0 ? -1 : 1;
      w.slope[i] = std::abs(theta[i]) <= 1;
    }
    if constexpr (std::is_same_v<W, quant::Round<3>>)
      w.base[0][i] = std::nearbyint(std::clamp(theta[i], -1.0, 1.0) * 3) / 3;
  }
  if constexpr (std::is_same_v<W, MeanScaled>)
    for (std::size_t i = 0; i < theta.size(); ++i) w.slope[i] = w.scale[0][i / row];
  return w;
}
template <class W>
  requires(W::scaled&& W::bases > 1)
Weights weights_of(const std::vector<double>& theta, int outputs) {
  const test::Bases<W::bases> bases(theta);
  Weights w{.base = bases.b, .scale = {}, .slope = std::vector<double>(theta.size())};
  double sum = 0;
  for (double alpha : bases.alpha) {
    w.scale.emplace_back(outputs, alpha);
    sum += alpha;
  }
  for (std::size_t i = 0; i < theta.size(); ++i) w.slope[i] = std::abs(theta[i]) <= 1 ? sum : 0;
  return w;
}

/// Base n of x and whether the surrogate lets a gradient pass; `padded`: a position outside the
/// map.
struct Activation {
  double value;
  bool passes;
};
template <class A> Activation activation_of(double x, bool padded, double shift) {
  if (A::scaled)
    return {padded || x + shift - 0.5 >= 0 ? 1.0 : -1.0,
            !padded && x + shift >= 0 && x + shift <= 1};
  if (A::identity) return {padded ? 0 : x, !padded};
  if (std::is_same_v<A, quant::SignActivation>)
    return {padded || x >= 0 ? 1.0 : -1.0, !padded && std::abs(x) <= 1};
  return {padded ? 0 : std::nearbyint(std::clamp(x, 0.0, 1.0) * 3) / 3,
          !padded && x >= 0 && x <= 1};  // RoundActivation<2>
}

/// Largest error over the largest expected value.
void compare(const char* what, const std::vector<double>& found,
             const std::vector<double>& expected) {
  REQUIRE(found.size() == expected.size());
  double error = 0, size = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double d = std::abs(found[i] - expected[i]);
    error = d <= error ? error : std::isnan(d) ? 1e300 : d;
    size = std::max(size, std::abs(expected[i]));
  }
  INFO(what);
  CHECK(size > 1e-3);
  CHECK(error <= 1e-12 * size);
}

std::vector<double> uniform(std::size_t count, std::uint64_t draw) {
  std::vector<double> v(count);
  const rng::Stream random(3, Purpose::test, draw);
  for (std::size_t i = 0; i < count; ++i) v[i] = 2 * random.uniform(i) - 1;
  return v;
}

/// A network of one convolution, named c.
template <class Spec, class In> using NetOf = Network<Named<"c", Spec>, In, cpu, precision::Double>;

/// The parameters of a convolution; where it has none, bias and shift are 0 and beta is 1.
struct Parameters {
  std::vector<double> theta, bias, beta, shift;
};
template <class A, class Spec, class In> Parameters set_parameters(NetOf<Spec, In>& net) {
  constexpr int N = A::bases, outputs = Spec::out_dims(In::dims).c;
  Parameters p{.theta = uniform(net.graph().parameters[0].count, 1),
               .bias = std::vector<double>(outputs),
               .beta = std::vector<double>(N, 1),
               .shift = std::vector<double>(N)};
  for (double& v : p.theta) v *= 1.25;  // some outside [-1, 1]
  net.set("c.weight", p.theta);
  if (net.graph().nodes[0].bias) {
    p.bias = uniform(outputs, 2);
    net.set("c.bias", p.bias);
  }
  if (A::scaled) {
    p.beta = uniform(N, 3);
    p.shift = uniform(N, 6);
    net.set("c.activation.beta", p.beta);
    net.set("c.activation.shift", p.shift);
  }
  return p;
}

/// f(output index, weight index, input index or -1, output channel) for every product of the
/// convolution of n maps.
template <class F> void for_each_product(const Node& node, int n, Dims in, Dims out, F f) {
  const int K = node.kernel_h, stride = node.stride, pad = node.pad;
  const int rows_in = in.c / node.groups, rows_out = out.c / node.groups;
  const auto at = [](const Dims& d, int s, int h, int v, int c) {
    return ((std::size_t(s) * d.h + h) * d.w + v) * d.c + c;
  };
  for (int s = 0; s < n; ++s)
    for (int h = 0; h < out.h; ++h)
      for (int v = 0; v < out.w; ++v)
        for (int o = 0; o < out.c; ++o)
          for (int i = 0; i < rows_in; ++i)
            for (int a = 0; a < K; ++a)
              for (int b = 0; b < K; ++b) {
                const int ih = h * stride - pad + a, iw = v * stride - pad + b,
                          c = o / rows_out * rows_in + i;
                const bool inside = ih >= 0 && ih < in.h && iw >= 0 && iw < in.w;
                f(at(out, s, h, v, o), ((std::size_t(o) * rows_in + i) * K + a) * K + b,
                  inside ? long(at(in, s, ih, iw, c)) : -1, o);
              }
}

/// Logits, and the gradients in the input and in the parameters.
struct Sums {
  std::vector<double> logits, dx, dtheta, dbias, dbeta, dshift;
};
/// The sums of the convolution written out, for the input x and the gradient r at the output.
template <class W, class A>
Sums direct_sums(const Node& node, Dims out, const Parameters& p, const Tensor<double>& x,
                 const std::vector<double>& r) {
  constexpr int N = A::bases;
  const int n = x.view().n;
  const Dims in = x.view().dims;
  const Weights w = weights_of<W>(p.theta, out.c);
  Sums sums{.logits = std::vector<double>(r.size()),
            .dx = std::vector<double>(x.size()),
            .dtheta = std::vector<double>(p.theta.size()),
            .dbias = std::vector<double>(out.c),
            .dbeta = std::vector<double>(N),
            .dshift = std::vector<double>(N)};
  std::vector<double> dsum(p.theta.size());  // the gradient in the sum of the weight bases
  for_each_product(node, n, in, out, [&](std::size_t to, std::size_t k, long from, int o) {
    double weight = 0;
    for (int m = 0; m < W::bases; ++m) weight += w.scale[m][o] * w.base[m][k];
    for (int b = 0; b < N; ++b) {
      const Activation act = activation_of<A>(from < 0 ? 0 : x.data()[from], from < 0, p.shift[b]);
      sums.logits[to] += weight * p.beta[b] * act.value;
      dsum[k] += p.beta[b] * act.value * r[to];
      sums.dbeta[b] += act.value * weight * r[to];
      if (!act.passes) continue;
      sums.dx[from] += p.beta[b] * weight * r[to];
      sums.dshift[b] += p.beta[b] * weight * r[to];
    }
  });
  for (std::size_t i = 0; i < r.size(); ++i) {
    sums.logits[i] += p.bias[i % out.c];
    sums.dbias[i % out.c] += r[i];
  }
  for (std::size_t k = 0; k < dsum.size(); ++k) sums.dtheta[k] = w.slope[k] * dsum[k];
  return sums;
}

/// One convolution W x A over a batch of two, and the same sums written out.
template <class W, class A, class Spec, class In> void check_direct() {
  constexpr int n = 2;
  NetOf<Spec, In> net(2);
  const Parameters parameters = set_parameters<A, Spec, In>(net);
  Tensor<double> x(n, In::dims), dx(n, In::dims);
  x.upload(uniform(x.size(), 4));
  auto trace = net.make_trace({.use = Use::train, .capacity = n});
  auto grads = net.make_grads();
  const auto y = to_host(net.forward(trace, std::as_const(x).view(), {.mode = Mode::train}));
  const auto r = uniform(y.size(), 5);
  std::copy(r.begin(), r.end(), trace.logits_gradient().data);
  net.backward(trace, dx.view(), &grads);

  const Sums sums =
      direct_sums<W, A>(net.graph().nodes[0], Spec::out_dims(In::dims), parameters, x, r);
  compare("logits", y, sums.logits);
  compare("dx", dx.download(), sums.dx);
  net.visit(grads, [&](const auto& p) {
    const std::vector<double> found(p.gradient, p.gradient + p.count);
    if (p.name == "c.weight") compare("weight", found, sums.dtheta);
    if (p.name == "c.bias") compare("bias", found, sums.dbias);
    if (p.name == "c.activation.beta") compare("beta", found, sums.dbeta);
    if (p.name == "c.activation.shift") compare("shift", found, sums.dshift);
  });
}
/// A layer of 8-bit integers in float, and what its integer accumulators and scales give.
template <class Spec, class In> void check_integers(const float step) {
  constexpr int n = 3;
  Network<Named<"c", Spec>, In> net(2);
  constexpr Dims out = Spec::out_dims(In::dims);
  const auto numbers = [](std::size_t count, int draw) {
    const auto v = uniform(count, draw);
    return std::vector<float>(v.begin(), v.end());
  };
  const auto theta = numbers(net.graph().parameters[0].count, 1), bias = numbers(out.c, 2);
  net.set("c.weight", theta);
  net.set("c.bias", bias);
  net.set("c.activation.step", std::vector<float>{step});
  Tensor<float> x(n, In::dims);
  x.upload(numbers(x.size(), 4));
  auto trace = net.make_trace({.capacity = n});
  const auto y = to_host(net.forward(trace, std::as_const(x).view(), {}));

  const std::size_t row = theta.size() / out.c;
  std::vector<std::int64_t> sums(y.size(), 0);
  std::vector<float> scales(out.c, 0);
  for (std::size_t k = 0; k < theta.size(); ++k)
    scales[k / row] = std::max(scales[k / row], std::abs(theta[k]));
  for (float& s : scales) s /= 127;
  const Node& node = net.graph().nodes[0];
  for_each_product(node, n, In::dims, out, [&](std::size_t to, std::size_t k, long from, int o) {
    if (from < 0) return;
    const auto whole = [](float v) { return std::int64_t(std::nearbyint(v)); };
    const std::int64_t level = std::clamp<std::int64_t>(whole(x.data()[from] / step), -128, 127);
    sums[to] += whole(theta[k] / scales[o]) * level;
  });
  for (std::size_t i = 0; i < y.size(); ++i) {
    const int o = int(i % out.c);
    const float product = float(sums[i]) * (scales[o] * step);
    CHECK(y[i] == product + bias[o]);
  }
}

template <class W, class A, class In, int Out, int K, class... Os> void check_conv() {
  check_direct<W, A, Conv<Out, K, W, A, Os...>, In>();
}

}  // namespace

using quant::FullActivation, quant::FullPrecision, quant::MultiBit, quant::MultiBitActivation,
    quant::Round, quant::RoundActivation, quant::Sign, quant::SignActivation;

TEST_CASE("full-precision weights with several bases of activations are direct sums") {
  check_conv<FullPrecision, MultiBitActivation<2>, Shape<16, 6, 7>, 16, 3>();
  check_conv<FullPrecision, MultiBitActivation<3>, Shape<5, 6, 5>, 19, 3, Stride<2>, Bias<true>>();
  check_direct<FullPrecision, MultiBitActivation<2>, Depthwise<3, Stride<2>, MultiBitActivation<2>>,
               Shape<18, 7, 7>>();
}
TEST_CASE(
    "M x N bases at 16 and more channels are direct sums: groups, strides, no multiples of a "
    "vector") {
  check_conv<MultiBit<3>, MultiBitActivation<2>, Shape<16, 6, 6>, 16, 3>();
  check_conv<MultiBit<3>, MultiBitActivation<2>, Shape<17, 5, 6>, 33, 3, Bias<true>>();
  check_conv<MultiBit<2>, MultiBitActivation<3>, Shape<34, 7, 6>, 38, 3, Groups<2>, Stride<2>>();
  check_conv<MultiBit<2>, MultiBitActivation<2>, Shape<20, 7, 7>, 24, 5, Groups<4>, Stride<2>,
             Pad<1>>();
  check_direct<MultiBit<2>, MultiBitActivation<2>, Depthwise<3, MultiBit<2>, MultiBitActivation<2>>,
               Shape<18, 6, 6>>();
}
TEST_CASE("one side with bases, and maps without scales, are direct sums") {
  check_conv<MultiBit<2>, FullActivation, Shape<16, 6, 6>, 32, 3, Bias<true>>();
  check_conv<MultiBit<2>, SignActivation, Shape<18, 7, 7>, 20, 3, Stride<2>>();
  check_conv<Sign, MultiBitActivation<2>, Shape<16, 5, 5>, 17, 3>();
  check_conv<Sign, SignActivation, Shape<16, 6, 6>, 32, 3, Groups<2>, Bias<true>>();
  check_conv<Round<3>, RoundActivation<2>, Shape<16, 6, 6>, 19, 3, Stride<2>>();
}
TEST_CASE(
    "a weight map of one's own: its scales reach forward and backward, whatever the activation "
    "map") {
  check_conv<MeanScaled, FullActivation, Shape<16, 6, 6>, 18, 3, Bias<true>>();
  check_conv<MeanScaled, MultiBitActivation<2>, Shape<16, 6, 6>, 18, 3, Stride<2>, Groups<2>>();
  check_conv<MeanScaled, SignActivation, Shape<6, 5, 5>, 17, 1>();
}
TEST_CASE("a layer of 8-bit integers is an integer accumulator times its scales, to the bit") {
  using W = quant::Int8Weights;
  using A = quant::Int8Activation;
  check_integers<Conv<16, 3, W, A, Bias<true>>, Shape<3, 9, 9>>(1.f / 100);
  check_integers<Conv<64, 3, W, A, Bias<true>>, Shape<64, 8, 8>>(1.f / 200);
  check_integers<Conv<20, 3, Stride<2>, W, A, Bias<true>>, Shape<17, 7, 7>>(1.f / 128);
  check_integers<Linear<10, true, W, 0, A>, Shape<64, 1, 1>>(1.f / 90);
}
TEST_CASE("a grouped convolution refuses a subnet that narrows its input") {
  Network<Sequential<Named<"a", Conv<16, 1, width::Chosen>>, Named<"b", Conv<8, 3, Groups<2>>>>,
          Shape<4, 5, 5>>
      net(1);
  auto trace = net.make_trace({});
  const Tensor<float> x(1, {4, 5, 5});
  const Subnet narrow = net.make_subnet({{"a", "width", 8}});
  CHECK_THROWS_WITH_AS(net.forward(trace, x.view(), {.subnet = &narrow}),
                       "grouped convolution: it takes all of its 16 channels, the subnet left 8",
                       UsageError);
}
