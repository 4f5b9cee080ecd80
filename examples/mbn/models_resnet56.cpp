// Compiled where RNX_MODELS has resnet56, or all.
#include "models.hpp"

MBN_REGISTER(resnet56, ResNet56, BinaryResNet56, (3, 32, 32), 10);
