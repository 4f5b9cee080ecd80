// One family of the registry, one translation unit.
#include <rnx/models.hpp>

RNX_REGISTER_MODEL("wrn_22_8_rlnet", rnx::models::Wrn22x8Rlnet, (3, 32, 32));
