// One family of the registry, one translation unit.
#include <rnx/models.hpp>

RNX_REGISTER_MODEL("resnet34", rnx::models::ResNet34, (3, 32, 32));
