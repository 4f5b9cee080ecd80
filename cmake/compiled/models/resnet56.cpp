// One family of the registry, one translation unit.
#include <rnx/models.hpp>

RNX_REGISTER_MODEL("resnet56", rnx::models::ResNet56, (3, 32, 32));
