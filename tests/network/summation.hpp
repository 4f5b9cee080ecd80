// One network, compiled with Winograd's convolutions (summation.cpp) and with direct sums only
// (summation_direct.cpp).
#pragma once

#include "support/batch.hpp"

namespace summation {
struct Results {
  std::vector<float> logits, dx, grads;
};
Results winograd();
Results direct();

/// Forward and backward in eval mode. Only: a type of the file, so that each has its own instance.
template <class Only> Results run() {
  using namespace rnx;
  using Net = Network<Sequential<Conv<32, 3>, BatchNorm<>, act::HardSwish,
                                 models::BasicBlock<32, 1, Identity, models::Convolutions<>,
                                                    BatchNorm<>, act::HardSwish>,
                                 GlobalAveragePool, Linear<10>>,
                      Shape<3, 19, 14>>;
  Net net(5);
  auto trace = net.make_trace({.use = Use::train, .capacity = 5});
  const auto x = support::images<float>(5, net.input_dims());
  Tensor<float> dx(5, net.input_dims());
  auto grads = net.make_grads();
  grads.zero({});
  Results r;
  r.logits = to_host(net.forward(trace, x.view(), {}));
  for (int i = 0; i < 50; ++i) trace.logits_gradient().data[i] = float(i % 7 - 3) / 4;
  net.backward(trace, dx.view(), &grads);
  r.dx = to_host(dx.view());
  r.grads = grads.flat.download();
  return r;
}
}  // namespace summation
