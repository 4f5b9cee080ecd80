// One family of the registry, one translation unit.
#include <rnx/models.hpp>

RNX_REGISTER_MODEL("resnet34_rlnet", rnx::models::ResNet34Rlnet, (3, 32, 32));
