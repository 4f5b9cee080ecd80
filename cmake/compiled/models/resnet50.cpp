// One family of the registry, one translation unit.
#include <rnx/models.hpp>

RNX_REGISTER_MODEL("resnet50", rnx::models::ResNet50, (3, 32, 32));
