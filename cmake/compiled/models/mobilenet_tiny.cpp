// One family of the registry, one translation unit.
#include <rnx/models.hpp>

RNX_REGISTER_MODEL("mobilenet_tiny", rnx::models::MobileNetTiny, (3, 32, 32));
