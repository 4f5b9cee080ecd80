// One family of the registry, one translation unit.
#include <rnx/models.hpp>

RNX_REGISTER_MODEL("vgg19_bn", rnx::models::Vgg19, (3, 32, 32));
