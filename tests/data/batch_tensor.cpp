// Images of a data set as a tensor.
#include <doctest/doctest.h>

#include <rnx/data.hpp>

#include "support/error_of.hpp"

using namespace rnx;

TEST_CASE("batch_tensor gives the images that are asked for, as the network takes them") {
  data::Images images{.n = 3, .dims = {2, 2, 3}, .classes = 2};
  for (int i = 0; i < 36; ++i) images.pixels.push_back(std::uint8_t(7 * i));
  images.labels = {0, 1, 1};
  const Tensor<float> two = data::batch_tensor(images, 1, 2);
  CHECK((two.n() == 2 && two.dims() == images.dims));
  for (int i = 0; i < 24; ++i) CHECK(two.data()[i] == float(7 * (12 + i)) / 255.0f);
  const std::vector<float> nchw = to_nchw(two.view().samples(1, 1));  // of the last image
  for (int c = 0; c < 2; ++c)
    for (int p = 0; p < 6; ++p) CHECK(nchw[c * 6 + p] == float(7 * (24 + 2 * p + c)) / 255.0f);
  CHECK(data::batch_tensor<double>(images, 3, 0).n() == 0);

  const auto refused = [&](int first, int n) {
    return support::error_of<UsageError>([&] { data::batch_tensor(images, first, n); });
  };
  CHECK(refused(2, 2) == "batch_tensor: expected a part of 3 images, found 2 to 4");
  CHECK(refused(-1, 1) == "batch_tensor: expected a part of 3 images, found -1 to 0");
  CHECK(refused(0, -1) == "batch_tensor: expected a part of 3 images, found 0 to -1");
  CHECK(refused(4, 0) == "batch_tensor: expected a part of 3 images, found 4 to 4");
}
