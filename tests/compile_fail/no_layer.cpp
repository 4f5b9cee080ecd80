// expect: rnx: this type is no layer: a spec is an empty type with `static constexpr int sites`
#include <rnx/net.hpp>
using namespace rnx;
struct Double {
  static constexpr int sites = 1;
  static constexpr Dims out_dims(Dims in) { return in; }
};
Network<Sequential<Conv<4, 3>, Residual<Double>, GlobalAveragePool, Linear<10>>, Shape<3, 8, 8>>
    net;
