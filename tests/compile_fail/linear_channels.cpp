// expect: rnx: channel mismatch: the layer was declared for another number of input channels
#include <rnx/network.hpp>
using namespace rnx;
int main() {
  Network<Sequential<Conv<16, 3>, GlobalAveragePool, Linear<10, true, quant::FullPrecision, 64>>,
          Shape<3, 8, 8>>
      net(0);
}
