// expect: rnx: channel mismatch: a repeated block must return the shape that it takes
#include <rnx/network.hpp>
using namespace rnx;
int main() { Network<Repeat<3, Conv<16, 3, Stride<2>>>, Shape<16, 8, 8>> net(0); }
