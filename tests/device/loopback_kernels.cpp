// The loopback device's kernels: one translation unit, built without -march and without OpenMP
// whatever the others use.
#include <rnx/loopback.hpp>

RNX_LOOPBACK_ALL
RNX_LOOPBACK_WEIGHT_MAP(rnx::quant::MultiBit<2>)
RNX_LOOPBACK_WEIGHT_MAP(rnx::quant::Sign)
RNX_LOOPBACK_ACTIVATION_MAP(rnx::quant::MultiBitActivation<2>)
RNX_LOOPBACK_ACTIVATION_MAP(rnx::quant::SignActivation)
RNX_LOOPBACK_BINARIZE(rnx::quant::MultiBitActivation<2>)
RNX_LOOPBACK_BINARIZE(rnx::quant::SignActivation)
RNX_LOOPBACK_KERNEL_RULE(rnx::search::ElasticKernel<5, 3>)

const char* loopback_instruction_set() { return rnx::instruction_set(); }
void loopback_throws() {
  throw rnx::ShapeError("loopback: thrown by code of another instruction set");
}
