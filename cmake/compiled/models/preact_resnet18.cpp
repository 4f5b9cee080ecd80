// One family of the registry, one translation unit.
#include <rnx/models.hpp>

RNX_REGISTER_MODEL("preact_resnet18", rnx::models::PreActResNet18, (3, 32, 32));
