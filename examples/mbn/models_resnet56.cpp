// Compiled where RNX_MODELS has resnet56, or all.
#include "models.hpp"

MBN_REGISTER(56);
