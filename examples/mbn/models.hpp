// The networks of paper 003 that are compiled: a family for each representation, which is told its
// bits or bases by a model's name. Rows of fixed point stand in the plain order, those of bases in
// the order batch norm, quantizer, convolution.
#pragma once

#include <rnx/deploy.hpp>

namespace mbn::convolutions {

using namespace rnx;
using models::Convolutions;

using Pact = Convolutions<quant::DoReFaWeights<at_run_time>, quant::PactActivation<at_run_time>>;
using DoReFa = Convolutions<quant::DoReFaWeights<at_run_time>, quant::RoundActivation<at_run_time>>;
using Xnor = Convolutions<quant::XnorWeights, quant::SignActivation>;
using MultiBit = Convolutions<quant::MultiBit<at_run_time>, quant::MultiBitActivation<at_run_time>>;
using Int8MultiBit = models::Int8Ends<MultiBit>;

}  // namespace mbn::convolutions

/// FAMILY, a template of models/, with these convolutions is "NETWORK_NAME" on images of shape IN;
/// behind it the numbers of classes of a family that needs them at compile time.
#define MBN_REGISTER_ONE(NETWORK, NAME, CONVOLUTIONS, FAMILY, IN, ...)                            \
  namespace {                                                                                     \
  template <int Classes>                                                                          \
  using NETWORK##_##CONVOLUTIONS = rnx::models::FAMILY<Classes, mbn::convolutions::CONVOLUTIONS>; \
  }                                                                                               \
  RNX_REGISTER_MODEL(#NETWORK "_" NAME, NETWORK##_##CONVOLUTIONS, IN __VA_OPT__(, ) __VA_ARGS__)

/// The same with its packed form: convolutions of signs.
#define MBN_REGISTER_SIGNS(NETWORK, NAME, CONVOLUTIONS, SIGNS, IN) \
  MBN_REGISTER_ONE(NETWORK, NAME, CONVOLUTIONS, SIGNS, IN);        \
  RNX_REGISTER_PACKED(#NETWORK "_" NAME, NETWORK##_##CONVOLUTIONS, IN)

/// Of one network, whose families of fixed point are PLAIN and of bases SIGNS, in one translation
/// unit: they share their other layers. Behind IN: classes of the networks whose first and last
/// layer are of 8-bit integers.
#define MBN_REGISTER(NETWORK, PLAIN, SIGNS, IN, ...)               \
  MBN_REGISTER_ONE(NETWORK, "pact{K}", Pact, PLAIN, IN);           \
  RNX_REGISTER_MODEL(#NETWORK "_pact{M}x{N}", NETWORK##_Pact, IN); \
  MBN_REGISTER_ONE(NETWORK, "dorefa{K}", DoReFa, PLAIN, IN);       \
  MBN_REGISTER_SIGNS(NETWORK, "xnor", Xnor, SIGNS, IN);            \
  MBN_REGISTER_SIGNS(NETWORK, "{M}x{N}", MultiBit, SIGNS, IN);     \
  MBN_REGISTER_ONE(NETWORK, "int8_{M}x{N}", Int8MultiBit, SIGNS, IN, __VA_ARGS__)
