// One family of the registry, one translation unit.
#include <rnx/models.hpp>

RNX_REGISTER_MODEL("vgg11_bn", rnx::models::Vgg11, (3, 32, 32));
