// The networks of paper 003 that are compiled, for CIFAR's images: a family for each
// representation, which is told its bits or bases by a model's name. Rows of fixed point stand in
// the plain order, those of bases in the order batch norm, quantizer, convolution.
#pragma once

#include <rnx/deploy.hpp>

namespace mbn::convolutions {

using namespace rnx;
using models::Convolutions;

using Pact = Convolutions<quant::DoReFaWeights<at_run_time>, quant::PactActivation<at_run_time>>;
using DoReFa = Convolutions<quant::DoReFaWeights<at_run_time>, quant::RoundActivation<at_run_time>>;
using Xnor = Convolutions<quant::XnorWeights, quant::SignActivation>;
using MultiBit = Convolutions<quant::MultiBit<at_run_time>, quant::MultiBitActivation<at_run_time>>;

}  // namespace mbn::convolutions

/// FAMILY with these convolutions is "resnetDEPTH_NAME".
#define MBN_REGISTER_ONE(DEPTH, NAME, CONVOLUTIONS, FAMILY)                 \
  namespace {                                                               \
  template <int Classes>                                                    \
  using resnet##DEPTH##_##CONVOLUTIONS =                                    \
      rnx::models::FAMILY##DEPTH<Classes, mbn::convolutions::CONVOLUTIONS>; \
  }                                                                         \
  RNX_REGISTER_MODEL("resnet" #DEPTH "_" NAME, resnet##DEPTH##_##CONVOLUTIONS, (3, 32, 32))

/// The same with its packed form: convolutions of signs.
#define MBN_REGISTER_SIGNS(DEPTH, NAME, CONVOLUTIONS)        \
  MBN_REGISTER_ONE(DEPTH, NAME, CONVOLUTIONS, BinaryResNet); \
  RNX_REGISTER_PACKED("resnet" #DEPTH "_" NAME, resnet##DEPTH##_##CONVOLUTIONS, (3, 32, 32))

/// Of one depth, in one translation unit: the networks share their other layers.
#define MBN_REGISTER(DEPTH)                             \
  MBN_REGISTER_ONE(DEPTH, "pact{K}", Pact, ResNet);     \
  MBN_REGISTER_ONE(DEPTH, "dorefa{K}", DoReFa, ResNet); \
  MBN_REGISTER_SIGNS(DEPTH, "xnor", Xnor);              \
  MBN_REGISTER_SIGNS(DEPTH, "{M}x{N}", MultiBit)
