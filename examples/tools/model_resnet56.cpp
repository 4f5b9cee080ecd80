// One family of the registry, one translation unit.
#include <rnx/models.hpp>

template <int Classes> using ResNet56 = rnx::models::ResNet56<Classes>;
using Cifar = rnx::Shape<3, 32, 32>;
RNX_REGISTER_MODEL("resnet56", ResNet56, Cifar, 10);
