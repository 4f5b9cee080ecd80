#include "golden/resnet.hpp"

using namespace rnx;
template <class P> using Net = Network<models::ResNet18<>, Shape<3, 32, 32>, cpu, P>;

TEST_CASE("ResNet-18 agrees with PyTorch in double") {
  golden::check_resnet<Net<precision::Double>>("resnet18", 1e-9, true);
}
TEST_CASE("ResNet-18 agrees with PyTorch in float") {
  golden::check_resnet<Net<precision::Float>>("resnet18", 1e-4, false);
}
TEST_CASE("ResNet-18 trains ten steps like PyTorch in double") {
  golden::check_steps<Net<precision::Double>>("resnet18", "sgd", 1e-8);
}
TEST_CASE("ResNet-18 trains ten steps like PyTorch in float") {
  golden::check_steps<Net<precision::Float>>("resnet18", "sgd_gentle", 1e-3);
}
TEST_CASE("ResNet-18 gradients in float agree with double where no kink is within rounding") {
  golden::check_float_gradients<Net<precision::Float>, Net<precision::Double>>(2, 1e-4);
}
