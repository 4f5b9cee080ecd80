// expect: rnx: a map describes what it learns in `static constexpr std::array parameters` of
// quant::MapParameter; one that learns nothing has no such member
#include <rnx/network.hpp>
using namespace rnx;
struct Learned : quant::Sign {
  static constexpr int parameters = 2;
};
int main() { Network<Conv<2, 1, Learned>, Shape<2, 4, 4>> net(0); }
