#include "../models.hpp"

#include <rnx/models.hpp>

std::unique_ptr<rnx::NetworkBase<float>> make_resnet18() {
  return std::make_unique<rnx::Network<rnx::models::ResNet18<10>, rnx::Shape<3, 32, 32>>>(1);
}
