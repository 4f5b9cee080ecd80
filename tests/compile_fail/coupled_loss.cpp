// expect: rnx: an attack needs a loss per sample; this one couples the samples of a batch
#include <rnx/distill.hpp>
#include <rnx/net.hpp>
using namespace rnx;
void climb(const NetworkBase<float>& net, attack::Workspace<float>& work, View<const float> x,
           View<float> moved, View<const float> teacher) {
  attack::Pgd<>{}(net, work, x, moved, distill::Similarity(teacher), {});
}
