// One family of the registry, one translation unit.
#include <rnx/linearize/snl_models.hpp>
#include <rnx/models.hpp>

RNX_REGISTER_MODEL("tiny_snl", rnx::linearize::TinySnl, (3, 32, 32));
