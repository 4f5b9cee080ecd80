// One family of the registry, one translation unit.
#include <rnx/models.hpp>

RNX_REGISTER_MODEL("resnet18", rnx::models::ResNet18, (3, 32, 32));
