// An elementwise kernel: mish (Misra 2020) as a functor that every device shares. On CUDA the same
// struct, in a header, and in one .cu file
//   #include <rnx/kernels/cuda/pointwise.cuh>
//   RNX_CUDA_FUNCTOR(Mish)
#include <rnx/net.hpp>
#include <rnx/kernels/loopback/definitions.hpp>

#include <cstdio>

using namespace rnx;

/// y = x tanh(softplus(x))
struct Mish {
  static constexpr const char* name = "mish";                     // of its node in cost tables
  static constexpr functor::Reads reads = functor::Reads::input;  // what derivative() is given
  static constexpr bool relu = false;                             // not counted in ReLU budgets

  /// log(1 + exp(x)); beyond 20 it is x in float and double alike to 1e-9. A NaN fails the
  /// comparison and comes through.
  template <class T> RNX_SHARED static T softplus(T x) {
    return x > T(20) ? x : std::log1p(std::exp(x));
  }
  template <class T> RNX_SHARED static T forward(T x) { return x * std::tanh(softplus(x)); }
  template <class T> RNX_SHARED static T derivative(T x) {
    const T t = std::tanh(softplus(x)), s = T(1) / (T(1) + std::exp(-x));
    return t + x * s * (T(1) - t * t);
  }
};

// a device that keeps its kernels in a file of their own, as CUDA does: here in the same one
RNX_LOOPBACK_KERNELS
RNX_LOOPBACK_POINTWISE(Mish)

/// y of a dense row of values on a device.
template <class Device> std::vector<float> mish_of(const std::vector<float>& x) {
  const Dims dims{int(x.size()), 1, 1};
  Tensor<float, Device> from(1, dims), to(1, dims);
  from.upload(x);
  run<Device>({}, op::pointwise_forward<Mish, float>{.x = from.view(), .y = to.view()});
  return to.download();
}

int main() {
  // derivative against central differences, in double
  double worst = 0;
  for (double x = -8; x <= 25; x += 0.37) {
    const double h = 1e-5, slope = (Mish::forward(x + h) - Mish::forward(x - h)) / (2 * h);
    worst = std::max(worst, std::abs(slope - Mish::derivative(x)));
  }
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> y = mish_of<cpu>({-1e4f, -1, 0, 1, 1e4f, nan});
  const std::vector<float> known{0, -0.3034014f, 0, 0.8650984f, 1e4f};
  for (std::size_t k = 0; k < known.size(); ++k)
    worst = std::max(worst, std::abs(double(y[k]) - double(known[k])) / (1 + std::abs(known[k])));
  const bool travels = std::isnan(y[5]);
  const std::vector<float> row{-2, -0.5f, 0.25f, 3};
  const bool alike = mish_of<cpu>(row) == mish_of<loopback>(row);

  // as a layer
  Network<Sequential<Named<"conv", Conv<4, 3>>, Named<"mish", Activation<Mish>>, GlobalAveragePool,
                     Named<"fc", Linear<2>>>,
          Shape<3, 8, 8>>
      net(1);
  Tensor<> x(1, net.input_dims());
  auto trace = net.make_trace({});
  const bool runs = net.forward(trace, x.view(), {}).dims.c == 2;
  std::printf("error %.1e, NaN travels %d, devices alike %d\n", worst, travels, alike);
  return worst < 1e-6 && travels && alike && runs ? 0 : 1;
}
