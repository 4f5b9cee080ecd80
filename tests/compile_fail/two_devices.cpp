// expect: rnx: these tensors live on two devices; copy one of them first
#include <rnx/network.hpp>
using namespace rnx;
int main() {
  Network<Conv<16, 3>, Shape<3, 8, 8>> net(0);
  auto trace = net.make_trace({});
  Tensor<float, loopback> x(1, {3, 8, 8});
  net.forward(trace, x.view(), {});
}
