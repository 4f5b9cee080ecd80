// expect: rnx: this attack climbs a gradient, and this victim gives logits alone; one that has
// gradients derives from attack::WhiteBox
#include <rnx/rnx.hpp>
using namespace rnx;
double robust(const attack::Victim<>& remote, const data::Images& set) {
  return eval::accuracy(remote, set, attack::Pgd<>{}).robust();
}
