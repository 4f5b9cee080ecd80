// expect: rnx: a weight map has no parameters of its own; leave out `extra`
#include <rnx/network.hpp>
using namespace rnx;
struct Learned : quant::Sign {
  static constexpr int extra(int kh) { return kh; }
};
int main() { Network<Conv<2, 1, Learned>, Shape<2, 4, 4>> net(0); }
