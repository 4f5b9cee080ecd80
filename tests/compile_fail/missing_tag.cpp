// expect: rnx: the network has no Tap with this tag
#include <rnx/network.hpp>
using namespace rnx;
int main() {
  Network<Sequential<Conv<16, 3>, GlobalAveragePool>, Shape<3, 8, 8>> net(0);
  auto trace = net.make_trace({});
  (void)net.tap<Penultimate>(trace);
}
