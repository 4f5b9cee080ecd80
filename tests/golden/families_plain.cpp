#include "golden/families.hpp"

using namespace rnx;
using namespace rnx::models;

TEST_CASE("VGG-11 agrees with PyTorch") {
  golden::check_family<Vgg11<>, Shape<3, 32, 32>>("vgg11_bn");
}
TEST_CASE("paper 002's AlexNet agrees with PyTorch on small images") {
  golden::check_family<AlexNetRrm<>, Shape<3, 64, 64>>("alexnet rrm");
}
TEST_CASE("paper 002's small network agrees with PyTorch") {
  golden::check_family<Dnn<>, Shape<3, 32, 32>>("dnn");
}
