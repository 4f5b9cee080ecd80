// expect: no error
#include <rnx/network.hpp>
using namespace rnx;
int main() {
  Network<Sequential<Conv<16, 3>, Residual<Conv<16, 3, quant::MultiBit<3>>>,
                     Tap<Penultimate, GlobalAveragePool>, Linear<10>>,
          Shape<3, 8, 8>>
      net(0);
  auto trace = net.make_trace({.keep = {Keep::tap<Penultimate>()}});
  Tensor<float> x(1, {3, 8, 8});
  net.forward(trace, x.view(), {});
  (void)net.tap<Penultimate>(trace);
}
