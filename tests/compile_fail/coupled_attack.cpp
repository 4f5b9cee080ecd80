// expect: rnx: an attack needs a loss per sample; this one couples the samples of a batch
#include <rnx/train.hpp>
using namespace rnx::train;
struct ByPairs : ByCe {
  static constexpr bool coupled = true;
};
const auto wrong = objective(Adversary<"adv", ByPairs>{}, Forward<"adv">{}, Ce<"adv">{});
