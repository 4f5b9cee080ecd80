// expect: rnx: this item of an objective gives a name that an item before it has given
#include <rnx/train.hpp>
using namespace rnx::train;
const auto wrong = objective(Forward<"clean">{}, Forward<"clean">{}, Ce<"clean">{});
