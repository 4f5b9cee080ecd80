// One family of the registry, one translation unit.
#include <rnx/models.hpp>

RNX_REGISTER_MODEL("dnn", rnx::models::Dnn, (3, 32, 32));
RNX_REGISTER_MODEL("dnn", rnx::models::Dnn, (1, 28, 28));
