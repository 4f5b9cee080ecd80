// One family of the registry, one translation unit.
#include <rnx/models.hpp>

template <int Classes> using ResNet18 = rnx::models::ResNet18<Classes>;
using Cifar = rnx::Shape<3, 32, 32>;
RNX_REGISTER_MODEL("resnet18", ResNet18, Cifar, 10);
