// Networks of few bits, trained and attacked on a device as on the CPU.
#pragma once

#include "mlp.hpp"

#include "rnx/layers.hpp"

namespace test {

template <class W, class A> using Quantized = Conv<16, 3, W, A>;
/// Convolutions of signs, which bits compute: bases with scales of least squares and of filters.
using Signs = Sequential<
    Named<"conv1", Conv<16, 3>>, Named<"bn1", BatchNorm<>>,
    Named<"conv2", Quantized<rnx::quant::MultiBit<2>, rnx::quant::MultiBitActivation<2>>>,
    Named<"bn2", BatchNorm<>>,
    Named<"conv3", Quantized<rnx::quant::XnorWeights, rnx::quant::SignActivation>>,
    Named<"bn3", BatchNorm<>>, rnx::GlobalAveragePool, Named<"fc", Linear<10>>>;
/// Levels, which floats compute.
using Levels = Sequential<
    Named<"conv1", Quantized<rnx::quant::Int8Weights, rnx::quant::Int8Activation>>,
    Named<"bn1", BatchNorm<>>, act::Relu,
    Named<"conv2", Quantized<rnx::quant::DoReFaWeights<3>, rnx::quant::PactActivation<4>>>,
    Named<"bn2", BatchNorm<>>, rnx::GlobalAveragePool, Named<"fc", Linear<10>>>;

/// Few steps: a value that rounds to the other side is no small difference.
template <class Device> void quantized() {
  same_as_cpu<Signs, Shape<3, 9, 8>, Device, rnx::precision::Double>(1e-9, 3);
  same_as_cpu<Levels, Shape<3, 9, 8>, Device, rnx::precision::Double>(1e-9, 3);
}

}  // namespace test
