// expect: rnx: this item of an objective names a view or a pass that no item before it provides
#include <rnx/train.hpp>
using namespace rnx::train;
const auto wrong = objective(Forward<"clean">{}, Kl<"clean", "teacher">{});
