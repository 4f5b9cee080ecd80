// One family of the registry, one translation unit.
#include <rnx/models.hpp>

RNX_REGISTER_MODEL("resnet50_rrm", rnx::models::ResNet50Rrm, (3, 32, 32));
