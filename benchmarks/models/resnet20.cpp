#include "../models.hpp"

#include <rnx/models.hpp>

std::unique_ptr<rnx::NetworkBase<float>> make_resnet20() {
  return std::make_unique<rnx::Network<rnx::models::ResNet20<10>, rnx::Shape<3, 32, 32>>>(1);
}
