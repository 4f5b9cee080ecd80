// ResNet-56 as models.cpp has ResNet-20: compiled where RNX_MODELS has resnet56, or all.
#include "models.hpp"

namespace {

using namespace mbn::convolutions;

template <int Classes> using Pact4On56 = models::ResNet56<Classes, Pact<4>>;
template <int Classes> using Pact2On56 = models::ResNet56<Classes, Pact<2>>;
template <int Classes> using DoReFaOn56 = models::ResNet56<Classes, DoReFa2>;
template <int Classes> using XnorNetOn56 = models::BinaryResNet56<Classes, Xnor>;
template <int Classes> using Mbn11On56 = models::BinaryResNet56<Classes, MultiBit<1, 1>>;
template <int Classes> using Mbn31On56 = models::BinaryResNet56<Classes, MultiBit<3, 1>>;
template <int Classes> using Mbn13On56 = models::BinaryResNet56<Classes, MultiBit<1, 3>>;
template <int Classes> using Mbn33On56 = models::BinaryResNet56<Classes, MultiBit<3, 3>>;

}  // namespace

RNX_REGISTER_MODEL("resnet56_pact4", Pact4On56, (3, 32, 32));
RNX_REGISTER_MODEL("resnet56_pact2", Pact2On56, (3, 32, 32));
RNX_REGISTER_MODEL("resnet56_dorefa2", DoReFaOn56, (3, 32, 32));
RNX_REGISTER_MODEL("resnet56_xnor", XnorNetOn56, (3, 32, 32));
RNX_REGISTER_MODEL("resnet56_1x1", Mbn11On56, (3, 32, 32));
RNX_REGISTER_MODEL("resnet56_3x1", Mbn31On56, (3, 32, 32));
RNX_REGISTER_MODEL("resnet56_1x3", Mbn13On56, (3, 32, 32));
RNX_REGISTER_MODEL("resnet56_3x3", Mbn33On56, (3, 32, 32));
