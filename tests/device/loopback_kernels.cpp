// The loopback device's kernels: one translation unit, built without -march and without OpenMP
// whatever the others use.
#include <rnx/attack/loopback.hpp>
#include <rnx/distill/loopback.hpp>
#include <rnx/layers/activation.hpp>
#include <rnx/linearize/loopback.hpp>
#include <rnx/loss/loopback.hpp>
#include <rnx/optim/loopback.hpp>
#include <rnx/quant/loopback.hpp>
#include <rnx/search/loopback.hpp>
#include <rnx/train/loopback.hpp>

RNX_LOOPBACK_KERNELS
RNX_LOOPBACK_QUANT
RNX_LOOPBACK_LOSS
RNX_LOOPBACK_OPTIM
RNX_LOOPBACK_ATTACK
RNX_LOOPBACK_DISTILL
RNX_LOOPBACK_TRAIN
RNX_LOOPBACK_LINEARIZE
RNX_LOOPBACK_SEARCH
RNX_LOOPBACK_POINTWISE(rnx::functor::Relu)
RNX_LOOPBACK_POINTWISE(rnx::functor::HardSwish)
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
