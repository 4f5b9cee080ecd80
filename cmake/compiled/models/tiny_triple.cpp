// One family of the registry, one translation unit.
#include <rnx/models.hpp>

RNX_REGISTER_MODEL("tiny_triple", rnx::models::TinyTriple, (3, 32, 32));
