// One family of the registry, one translation unit.
#include <rnx/models.hpp>

RNX_REGISTER_MODEL("resnet44", rnx::models::ResNet44, (3, 32, 32));
