// The kinds of convolutions of paper 003's networks.
#pragma once

#include <rnx/models.hpp>

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
