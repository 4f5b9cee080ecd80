// expect: rnx: bits out of range: a quantizer takes 1 to 16 bits and 1 to 8 bases
#include <rnx/network.hpp>
using namespace rnx;
int main() {
  Network<Sequential<Conv<16, 3>, Conv<16, 3, quant::MultiBit<9>>>, Shape<3, 8, 8>> net(0);
}
