// One family of the registry, one translation unit.
#include <rnx/models.hpp>

RNX_REGISTER_MODEL("resnet18_imagenet", rnx::models::ResNet18ImageNet, (3, 224, 224));
