// expect: rnx: channel mismatch: the branches of a join must have equal shapes
#include <rnx/network.hpp>
using namespace rnx;
int main() { Network<Sequential<Conv<16, 3>, Residual<Conv<32, 3>>>, Shape<3, 8, 8>> net(0); }
