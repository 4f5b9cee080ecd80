// One family of the registry, one translation unit.
#include <rnx/models.hpp>

template <int Classes> using ResNet50 = rnx::models::ResNet50<Classes>;
using Cifar = rnx::Shape<3, 32, 32>;
RNX_REGISTER_MODEL("resnet50", ResNet50, Cifar, 10);
