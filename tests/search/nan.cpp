// A search whose parameters are NaN has found nothing.
#include <doctest/doctest.h>

#include "rnx/search/gumbel.hpp"
#include "support/error_of.hpp"

using namespace rnx;

TEST_CASE("a mask that is NaN has no width, and makes what it masks NaN") {
  Network<Sequential<Named<"mask", ChannelMask<5, 3>>, Named<"fc", Linear<2>>>, Shape<5, 2, 2>> net(
      1);
  CHECK(search::found_widths(net).size() == 1);
  net.set("mask.theta", std::vector<float>{1, NAN});
  const auto found = [&] { search::found_widths(net); };
  CHECK(support::error_of<NumericError>(found) ==
        "search: the parameter 'mask.theta' holds NaN, expected numbers");
  auto trace = net.make_trace({});
  const Tensor<float> x(1, {5, 2, 2});
  net.forward(trace, x.view(), {});
  for (const float z : to_host(trace.logits())) CHECK(std::isnan(z));
}
