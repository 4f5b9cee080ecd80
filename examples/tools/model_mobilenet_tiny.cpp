// One family of the registry, one translation unit.
#include <rnx/models.hpp>

template <int Classes> using MobileNetTiny = rnx::models::MobileNetTiny<Classes>;
using Cifar = rnx::Shape<3, 32, 32>;
RNX_REGISTER_MODEL("mobilenet_tiny", MobileNetTiny, Cifar, 10);
