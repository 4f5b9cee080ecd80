// expect: rnx: no packed kernel for a convolution of this width: it needs one group, at least 64
// and at most 2^20 bits of a patch and at least 16 outputs
#include <rnx/net.hpp>

using namespace rnx;
using Narrow = Sequential<Conv<8, 3, quant::Packed<quant::Sign>, quant::SignActivation>,
                          GlobalAveragePool, Linear<10>>;

int main() {
  Network<Narrow, Shape<16, 8, 8>> net;
  return net.classes();
}
