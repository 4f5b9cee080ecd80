// A NaN passes every quantizer, of weights and of activations, in every base; the surrogate's
// gradient of it is 0.
#include "kernels/support.hpp"
#include "rnx/quant.hpp"

namespace {

using namespace rnx;
using geometry::Map;
constexpr int channels = 7;
const Map map{1, 1, 3, channels, channels};

/// Values at i, in every base and in the sum, and the gradient.
template <class A> void activation() {
  CAPTURE(A::bits);
  const std::vector<float> dsum = test::numbers<float>(21, 2), parameters(16, .25f);
  const auto bases = [&](const std::vector<float>& x) {
    std::vector<float> v(21 * (A::bases + 1));
    test::run(op::activation_bases<A, float>{.x = {map, x.data()},
                                             .parameters = parameters.data(),
                                             .bases = v.data(),
                                             .sum = v.data() + 21 * A::bases,
                                             .pad = 0});
    return v;
  };
  std::vector<float> x = test::numbers<float>(21, 1), dx(21, 9);
  const std::vector<float> clean = bases(x);
  for (std::size_t i = 0; i < 21; ++i) {
    const float before = std::exchange(x[i], NAN);
    const std::vector<float> found = bases(x);
    bool right = true;
    for (std::size_t k = 0; k < found.size(); ++k)
      right = right && (k % 21 == i ? std::isnan(found[k]) : found[k] == clean[k]);
    CHECK(right);
    test::run(op::activation_bases_backward<A, float>{.x = {map, x.data()},
                                                      .dx = {map, dx.data()},
                                                      .parameters = parameters.data(),
                                                      .dsum = dsum.data(),
                                                      .dparameters = nullptr,
                                                      .pad = 0});
    CHECK(dx[i] == 0);
    x[i] = before;
  }
}

/// all: a NaN anywhere reaches every base and scale, since mean and deviation are the tensor's.
template <class W> void weights(bool all) {
  const geometry::Weights g{1, 3, 7, 1, 1, 7, 1, 1, 1, 21};
  std::vector<float> theta = test::numbers<float>(21, 1), bases(21 * W::bases),
                     scales(3 * W::bases);
  for (std::size_t i = 0; i < 21; ++i) {
    const float before = std::exchange(theta[i], NAN);
    op::weight_bases<W, float> args{
        .g = g, .theta = theta.data(), .bases = bases.data(), .scales = {}};
    if constexpr (W::scaled) args.scales = scales.data();
    test::run(args);
    bool right = true;
    for (std::size_t k = 0; k < bases.size(); ++k)
      right = right && std::isnan(bases[k]) == (all || k % 21 == i);
    for (const float scale : scales) right = right && std::isnan(scale) == (all && W::scaled);
    CHECK(right);
    theta[i] = before;
  }
}

}  // namespace

TEST_CASE("a NaN passes the quantizers of activations") {
  activation<quant::SignActivation>();
  activation<quant::BinaryActivation<quant::surrogate::ApproxSign>>();
  activation<quant::RoundActivation<2>>();
  activation<quant::PactActivation<2>>();
  activation<quant::MultiBitActivation<1>>();
  activation<quant::MultiBitActivation<3>>();
}
TEST_CASE("a NaN passes the quantizers of weights") {
  weights<quant::Sign>(false);
  weights<quant::Round<4>>(false);
  weights<quant::MultiBit<1>>(true);
  weights<quant::MultiBit<3>>(true);
}
