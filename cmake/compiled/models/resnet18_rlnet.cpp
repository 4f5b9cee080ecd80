// One family of the registry, one translation unit.
#include <rnx/models.hpp>

RNX_REGISTER_MODEL("resnet18_rlnet", rnx::models::ResNet18Rlnet, (3, 32, 32));
