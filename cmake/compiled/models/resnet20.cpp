// One family of the registry, one translation unit.
#include <rnx/models.hpp>

RNX_REGISTER_MODEL("resnet20", rnx::models::ResNet20, (3, 32, 32));
RNX_REGISTER_MODEL("resnet20", rnx::models::ResNet20, (1, 28, 28));
RNX_REGISTER_MODEL("resnet20_rrm", rnx::models::ResNet20Rrm, (3, 32, 32));
