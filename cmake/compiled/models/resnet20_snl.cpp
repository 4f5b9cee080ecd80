// One family of the registry, one translation unit.
#include <rnx/linearize/snl_models.hpp>
#include <rnx/models.hpp>

RNX_REGISTER_MODEL("resnet20_snl", rnx::linearize::ResNet20Snl, (3, 32, 32));
