// One family of the registry, one translation unit.
#include <rnx/models.hpp>

RNX_REGISTER_MODEL("vgg16_rrm", rnx::models::Vgg16Rrm, (3, 224, 224));
