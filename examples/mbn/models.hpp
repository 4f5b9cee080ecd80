// The networks of paper 003 that are compiled, for CIFAR's images. Rows of fixed point stand in the
// plain order, those of bases in the order batch norm, quantizer, convolution.
#pragma once

#include <rnx/deploy.hpp>

namespace mbn::convolutions {

using namespace rnx;
using models::Convolutions;

template <int Bits>
using Pact = Convolutions<quant::DoReFaWeights<Bits>, quant::PactActivation<Bits>>;
using DoReFa2 = Convolutions<quant::DoReFaWeights<2>, quant::RoundActivation<2>>;
using Xnor = Convolutions<quant::XnorWeights, quant::SignActivation>;
template <int M, int N>
using MultiBit = Convolutions<quant::MultiBit<M>, quant::MultiBitActivation<N>>;

}  // namespace mbn::convolutions

/// "resnetDEPTH_METHOD" is FAMILY with these convolutions.
#define MBN_REGISTER_ONE(DEPTH, METHOD, FAMILY, ...)                       \
  namespace {                                                              \
  template <int Classes>                                                   \
  using resnet##DEPTH##_##METHOD =                                         \
      rnx::models::FAMILY##DEPTH<Classes, mbn::convolutions::__VA_ARGS__>; \
  }                                                                        \
  RNX_REGISTER_MODEL("resnet" #DEPTH "_" #METHOD, resnet##DEPTH##_##METHOD, (3, 32, 32))

/// The same with its packed form: convolutions of signs.
#define MBN_REGISTER_SIGNS(DEPTH, METHOD, ...)                \
  MBN_REGISTER_ONE(DEPTH, METHOD, BinaryResNet, __VA_ARGS__); \
  RNX_REGISTER_PACKED("resnet" #DEPTH "_" #METHOD, resnet##DEPTH##_##METHOD, (3, 32, 32))

/// Of one depth, in one translation unit: the networks share their other layers.
#define MBN_REGISTER(DEPTH)                          \
  MBN_REGISTER_ONE(DEPTH, pact4, ResNet, Pact<4>);   \
  MBN_REGISTER_ONE(DEPTH, pact2, ResNet, Pact<2>);   \
  MBN_REGISTER_ONE(DEPTH, dorefa2, ResNet, DoReFa2); \
  MBN_REGISTER_SIGNS(DEPTH, xnor, Xnor);             \
  MBN_REGISTER_SIGNS(DEPTH, 1x1, MultiBit<1, 1>);    \
  MBN_REGISTER_SIGNS(DEPTH, 3x1, MultiBit<3, 1>);    \
  MBN_REGISTER_SIGNS(DEPTH, 1x3, MultiBit<1, 3>);    \
  MBN_REGISTER_SIGNS(DEPTH, 3x3, MultiBit<3, 3>)
