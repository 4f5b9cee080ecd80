// expect: rnx: an attack has `norm`, `eps`, `set(StepValues&)` and `operator()(victim, work, x,
// adversarial, loss, ctx, draw) const`; see attack/contract.hpp
#include <rnx/rnx.hpp>
using namespace rnx;
struct Noise {
  Rational eps = px(8);
  template <class Loss>
  void operator()(const NetworkBase<>&, attack::Workspace<>&, View<const float>, View<float>,
                  const Loss&, Context, std::uint64_t) const {}
};
double robust(const NetworkBase<>& net, const data::Images& set) {
  return eval::accuracy(net, set, Noise{}).robust();
}
