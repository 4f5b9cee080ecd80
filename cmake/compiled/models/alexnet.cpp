// One family of the registry, one translation unit.
#include <rnx/models.hpp>

RNX_REGISTER_MODEL("alexnet", rnx::models::AlexNet, (3, 224, 224));
