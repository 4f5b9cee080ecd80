// expect: rnx: this map has no kernel on the CPU: derive it from quant::Elementwise, or specialise
// kernel<cpu, op::weight_bases<Map, T>> (op::activation_bases) and that of ..._backward;
// see quant/maps.hpp
#include <rnx/network.hpp>
using namespace rnx;
struct Ternary {
  using option = option::activation_map;
  static constexpr int bases = 1, bits = 2;
  static constexpr bool identity = false, scaled = false, valid = true;
  static constexpr double pad_value = 0;
};
int main() { Network<Conv<16, 3, Ternary>, Shape<3, 8, 8>> net(0); }
