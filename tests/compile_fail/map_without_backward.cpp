// expect: rnx: this map has a kernel forward and none backward: specialise kernel<cpu,
// op::weight_bases_backward<Map, T>> (op::activation_bases_backward)
#include <rnx/network.hpp>
using namespace rnx;
struct Ternary {
  using option = option::weight_map;
  static constexpr int bases = 1, bits = 2;
  static constexpr bool identity = false, scaled = false, valid = true;
};
template <class T> struct rnx::kernel<cpu, op::weight_bases<Ternary, T>> {
  static void run(Stream, const op::weight_bases<Ternary, T>&) {}
};
int main() { Network<Conv<16, 3, Ternary>, Shape<3, 8, 8>> net(0); }
