// One family of the registry, one translation unit.
#include <rnx/models.hpp>

RNX_REGISTER_MODEL("resnet34_imagenet", rnx::models::ResNet34ImageNet, (3, 224, 224));
