#include "golden/families.hpp"

using namespace rnx;
using namespace rnx::models;

TEST_CASE("pre-activation ResNet-18 agrees with PyTorch") {
  golden::check_family<PreActResNet18<>, Shape<3, 32, 32>>("preact_resnet18");
}
TEST_CASE("a wide ResNet agrees with PyTorch") {
  golden::check_family<WideResNet<10, 2>, Shape<3, 32, 32>>("wrn_10_2");
}
TEST_CASE("ImageNet's stem agrees with PyTorch on an odd size") {
  golden::check_family<
      Classifier<Convolutions<>, 10, ImageNetStem::layers<Convolutions<>, BatchNorm<>, act::Relu>>,
      Shape<3, 37, 37>>("stem");
}
