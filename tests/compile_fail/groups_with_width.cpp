// expect: rnx: a convolution in groups has no width to choose
#include <rnx/network.hpp>
using namespace rnx;
int main() { Network<Conv<16, 3, Groups<2>, width::Chosen>, Shape<16, 4, 4>> net(0); }
