// One family of the registry, one translation unit.
#include <rnx/models.hpp>

RNX_REGISTER_MODEL("vgg11_narrow", rnx::models::Vgg11Narrow, (3, 32, 32));
