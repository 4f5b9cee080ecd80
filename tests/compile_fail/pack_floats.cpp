// expect: rnx: deploy::pack: no convolution of this network has weights and activations that are
// signs; there is nothing to pack
#include <rnx/deploy.hpp>

using namespace rnx;
using Floats = Sequential<Conv<16, 3>, GlobalAveragePool, Linear<10>>;

int main() {
  const Network<Floats, Shape<3, 8, 8>> net;
  return deploy::pack(net).classes();
}
