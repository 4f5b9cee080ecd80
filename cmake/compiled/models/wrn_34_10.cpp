// One family of the registry, one translation unit.
#include <rnx/models.hpp>

RNX_REGISTER_MODEL("wrn_34_10", rnx::models::Wrn34x10, (3, 32, 32));
