// One family of the registry, one translation unit.
#include <rnx/models.hpp>

RNX_REGISTER_MODEL("resnet20_triple", rnx::models::ResNet20Triple, (3, 32, 32));
