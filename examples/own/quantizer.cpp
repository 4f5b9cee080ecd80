// A quantizer: ternary weights (Li & Liu 2016, "Ternary weight networks", eq. 5 and 6), with a
// kernel of its own, since the scale is one number of the whole layer.
#include <rnx/net.hpp>

#include <cstdio>

using namespace rnx;

/// alpha t, t = sign(w) where |w| > 0.7 mean |w|, else 0; alpha: the mean |w| of those. Surrogate:
/// the gradient of the quantized weight goes to w where |w| <= 1.
struct Ternary {
  using option = option::weight_map;  // where Conv takes it: among its options
  static constexpr int bases = 1, bits = 2;
  static constexpr bool identity = false, scaled = true, valid = true;
};

template <class T> struct rnx::kernel<cpu, op::weight_bases<Ternary, T>> {
  static void run(Stream, const op::weight_bases<Ternary, T>& a) {
    double sum = 0, kept = 0;
    std::size_t many = 0;
    host::each_weight(a.g, [&](std::size_t, std::size_t at) { sum += std::abs(a.theta[at]); });
    const double threshold = 0.7 * sum / double(a.g.count());
    host::each_weight(a.g, [&](std::size_t k, std::size_t at) {
      const T w = a.theta[at];
      a.bases[k] = std::abs(w) <= threshold ? T(0) : quant::sign(w);  // a NaN stays one
      if (a.bases[k] == 0) return;
      kept += std::abs(w);
      ++many;
    });
    for (int o = 0; o < a.g.groups * a.g.o; ++o) a.scales[o] = T(many ? kept / double(many) : 0);
  }
};
template <class T> struct rnx::kernel<cpu, op::weight_bases_backward<Ternary, T>> {
  static void run(Stream, const op::weight_bases_backward<Ternary, T>& a) {
    host::each_weight(a.g, [&](std::size_t k, std::size_t at) {
      if (std::abs(a.theta[at]) <= T(1)) a.dtheta[at] += a.dsum[k];
    });
  }
};

int main() {
  Network<Sequential<Named<"conv", Conv<2, 1, Ternary>>>, Shape<4>> net(1);
  const std::vector<float> w{0.5f, -0.1f, 0.9f, 2.0f, -0.7f, 0.2f, 0.0f, -1.5f};  // (2, 4, 1, 1)
  net.set("conv.weight", w);  // mean |w| 0.7375, threshold 0.51625
  constexpr float alpha = (0.9f + 2.0f + 0.7f + 1.5f) / 4;
  const std::vector<float> expected{0, 0, alpha, alpha, -alpha, 0, 0, -alpha};

  Tensor<> x(4, net.input_dims());  // the four unit vectors: the outputs are the columns of W
  for (int i = 0; i < 4; ++i) x.data()[5 * i] = 1;
  auto trace = net.make_trace({.use = Use::train, .capacity = 4});
  const auto y = net.forward(trace, x.view(), {});
  float worst = 0;
  for (int o = 0; o < 2; ++o)
    for (int i = 0; i < 4; ++i)
      worst = std::max(worst, std::abs(y.data[2 * i + o] - expected[std::size_t(4 * o + i)]));

  std::fill_n(trace.logits_gradient().data, 8, 1.0f);  // d sum(y) / dW = 1
  auto grads = net.make_grads();
  net.backward(trace, {}, &grads);
  int passed = 0;  // w where |w| <= 1: all but two
  for (int k = 0; k < 8; ++k) passed += grads.flat.data()[k] == 1;
  std::printf("ternary weights differ by %.1e, %d of 8 take gradients\n", double(worst), passed);
  return worst < 1e-6f && passed == 6 ? 0 : 1;
}
