// One family of the registry, one translation unit.
#include <rnx/models.hpp>

RNX_REGISTER_MODEL("resnet32", rnx::models::ResNet32, (3, 32, 32));
