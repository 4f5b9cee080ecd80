// One family of the registry, one translation unit.
#include <rnx/models.hpp>

RNX_REGISTER_MODEL("wrn_22_8", rnx::models::Wrn22x8, (3, 32, 32));
