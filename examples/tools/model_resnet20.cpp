// One family of the registry, one translation unit.
#include <rnx/models.hpp>

template <int Classes> using ResNet20 = rnx::models::ResNet20<Classes>;
using Cifar = rnx::Shape<3, 32, 32>;
RNX_REGISTER_MODEL("resnet20", ResNet20, Cifar, 10);
