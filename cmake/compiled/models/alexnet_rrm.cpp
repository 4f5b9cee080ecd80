// One family of the registry, one translation unit.
#include <rnx/models.hpp>

RNX_REGISTER_MODEL("alexnet_rrm", rnx::models::AlexNetRrm, (3, 224, 224));
