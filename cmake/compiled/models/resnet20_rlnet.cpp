// One family of the registry, one translation unit.
#include <rnx/models.hpp>

RNX_REGISTER_MODEL("resnet20_rlnet", rnx::models::ResNet20Rlnet, (3, 32, 32));
