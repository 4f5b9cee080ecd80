// expect: rnx: -ffast-math and -Ofast hide NaN and infinity; add -fno-finite-math-only behind them
// flags: -ffast-math
#include <rnx/network.hpp>
using namespace rnx;
int main() { Network<Sequential<Conv<16, 3>, act::Relu>, Shape<3, 8, 8>> net(0); }
