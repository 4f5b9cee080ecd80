// One family of the registry, one translation unit.
#include <rnx/models.hpp>

RNX_REGISTER_MODEL("resnet50_imagenet", rnx::models::ResNet50ImageNet, (3, 224, 224));
