// expect: no error
// flags: -ffast-math -fno-finite-math-only
#include <rnx/network.hpp>
using namespace rnx;
int main() { Network<Sequential<Conv<16, 3>, act::Relu>, Shape<3, 8, 8>> net(0); }
