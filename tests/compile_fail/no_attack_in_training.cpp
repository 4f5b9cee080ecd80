// expect: rnx: an attack has `norm`, `eps`, `set(StepValues&)` and `operator()(victim, work, x,
// adversarial, loss, ctx, draw) const`; see attack/contract.hpp
#include <rnx/train.hpp>
using namespace rnx::train;
struct Noise {
  rnx::Rational eps = rnx::px(8);
};
const auto wrong = objective(Adversary<"adv", ByCe, Noise>{}, Forward<"adv">{}, Ce<"adv">{});
