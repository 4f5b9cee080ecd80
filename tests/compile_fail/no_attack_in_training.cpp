// expect: rnx: an attack has `norm`, `eps`, `set(StepValues&)` and `operator()(victim, work, x,
// adversarial, loss, ctx, draw) const`; see attack/contract.hpp
#include <rnx/train.hpp>
using namespace rnx;
struct Still {
  Rational eps = px(8);
  void set(StepValues& v) const { v.eps = eps; }
};
void step(NetworkBase<float>& net, optim::Sgd<float>& sgd) {
  train::Step<float, cpu> own(net, sgd, train::Adversarial{Still{}}, 4);
}
