#include "../models.hpp"

#include <rnx/models.hpp>

std::unique_ptr<rnx::NetworkBase<float>> make_wrn22x8() {
  return std::make_unique<rnx::Network<rnx::models::Wrn22x8<10>, rnx::Shape<3, 32, 32>>>(1);
}
