// One family of the registry, one translation unit.
#include <rnx/models.hpp>

RNX_REGISTER_MODEL("vgg16_bn", rnx::models::Vgg16, (3, 32, 32));
