#include "golden/resnet.hpp"

using namespace rnx;
template <class P> using Net = Network<models::ResNet20<>, Shape<3, 32, 32>, cpu, P>;

TEST_CASE("ResNet-20 agrees with PyTorch in double") {
  golden::check_resnet<Net<precision::Double>>("resnet20", 1e-9, true);
}
TEST_CASE("ResNet-20 agrees with PyTorch in float") {
  golden::check_resnet<Net<precision::Float>>("resnet20", 1e-4, true);
}
TEST_CASE("ResNet-20 trains ten steps like PyTorch in double") {
  golden::check_steps<Net<precision::Double>>("resnet20", "sgd", 1e-8);
}
TEST_CASE("ResNet-20 trains ten steps like PyTorch in float") {
  golden::check_steps<Net<precision::Float>>("resnet20", "sgd_gentle", 1e-3);
}
TEST_CASE("ResNet-20 gradients in float agree with double where no kink is within rounding") {
  golden::check_float_gradients<Net<precision::Float>, Net<precision::Double>>(4, 1e-4);
}
