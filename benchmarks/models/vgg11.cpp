#include "../models.hpp"

#include <rnx/models.hpp>

std::unique_ptr<rnx::NetworkBase<float>> make_vgg11() {
  return std::make_unique<rnx::Network<rnx::models::Vgg11<10>, rnx::Shape<3, 32, 32>>>(1);
}
