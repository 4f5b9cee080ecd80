#include "models.hpp"

MBN_REGISTER(resnet20, ResNet20, BinaryResNet20, (3, 32, 32), 10);
