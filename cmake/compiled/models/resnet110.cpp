// One family of the registry, one translation unit.
#include <rnx/models.hpp>

RNX_REGISTER_MODEL("resnet110", rnx::models::ResNet110, (3, 32, 32));
