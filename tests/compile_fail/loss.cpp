// expect: rnx: a per-sample loss has `void operator()(Trace<T, Device>&, const loss::Call<T>&)
// const`
#include <rnx/net.hpp>
using namespace rnx;
struct Margin {
  template <class T> void operator()(Trace<T, cpu>&) const {}
};
double value(Trace<float, cpu>& trace, loss::Values<float>& values) {
  return loss::mean(Margin{}, trace, values);
}
