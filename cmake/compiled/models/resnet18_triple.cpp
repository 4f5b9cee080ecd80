// One family of the registry, one translation unit.
#include <rnx/models.hpp>

RNX_REGISTER_MODEL("resnet18_triple", rnx::models::ResNet18Triple, (3, 32, 32));
