// Compiled where RNX_MODELS has resnet18_imagenet, or all.
#include "models.hpp"

MBN_REGISTER(resnet18_imagenet, ResNet18ImageNet, BinaryResNet18ImageNet, (3, 224, 224), 1000);
