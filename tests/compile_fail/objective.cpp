// expect: rnx: an item of an objective has `void step(train::Stage<T, Device>&)` or `items()`
#include <rnx/train.hpp>
using namespace rnx;
struct Mine {
  template <class T, class Device> void advance(train::Stage<T, Device>&) {}
};
void step(NetworkBase<float>& net, optim::Sgd<float>& sgd) {
  train::Step<float, cpu> own(net, sgd, Mine{}, 4);
}
