// expect: rnx: a weight map that says `scaled = false` has no scales; with `scaled = true` they
// are applied
#include <rnx/network.hpp>
using namespace rnx;
struct Half : quant::Sign {};
template <class T> struct rnx::kernel<cpu, op::weight_bases<Half, T>> {
  static void run(Stream, const op::weight_bases<Half, T>& a) { a.scales[0] = T(0.5); }
};
int main() { kernel<cpu, op::weight_bases<Half, float>>::run({}, {}); }
