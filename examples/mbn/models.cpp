// The networks of paper 003 that are compiled: ResNet-20 (ResNet-56: models_resnet56.cpp) for
// CIFAR's images. Rows of fixed point stand in the plain order, those of bases in the order batch
// norm, quantizer, convolution. One translation unit: the networks share their other layers.
#include "models.hpp"

namespace {

using namespace mbn::convolutions;

template <int Classes> using Pact4On20 = models::ResNet20<Classes, Pact<4>>;
template <int Classes> using Pact2On20 = models::ResNet20<Classes, Pact<2>>;
template <int Classes> using DoReFaOn20 = models::ResNet20<Classes, DoReFa2>;
template <int Classes> using XnorNetOn20 = models::BinaryResNet20<Classes, Xnor>;
template <int Classes> using Mbn11On20 = models::BinaryResNet20<Classes, MultiBit<1, 1>>;
template <int Classes> using Mbn31On20 = models::BinaryResNet20<Classes, MultiBit<3, 1>>;
template <int Classes> using Mbn13On20 = models::BinaryResNet20<Classes, MultiBit<1, 3>>;
template <int Classes> using Mbn33On20 = models::BinaryResNet20<Classes, MultiBit<3, 3>>;

}  // namespace

RNX_REGISTER_MODEL("resnet20_pact4", Pact4On20, (3, 32, 32));
RNX_REGISTER_MODEL("resnet20_pact2", Pact2On20, (3, 32, 32));
RNX_REGISTER_MODEL("resnet20_dorefa2", DoReFaOn20, (3, 32, 32));
RNX_REGISTER_MODEL("resnet20_xnor", XnorNetOn20, (3, 32, 32));
RNX_REGISTER_MODEL("resnet20_1x1", Mbn11On20, (3, 32, 32));
RNX_REGISTER_MODEL("resnet20_3x1", Mbn31On20, (3, 32, 32));
RNX_REGISTER_MODEL("resnet20_1x3", Mbn13On20, (3, 32, 32));
RNX_REGISTER_MODEL("resnet20_3x3", Mbn33On20, (3, 32, 32));
