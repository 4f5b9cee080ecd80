// expect: rnx: the groups of a convolution must divide its input and output channels
#include <rnx/network.hpp>
using namespace rnx;
int main() {
  Network<Sequential<Conv<16, 3>, act::Relu, Conv<32, 3, Groups<3>>>, Shape<3, 8, 8>> net(0);
}
