// expect: rnx: a training objective has int replays() const, void set(StepValues&) const and auto bind(Stage<T, Device>&) const
#include <rnx/train.hpp>
using namespace rnx;
struct Mine {
  int replays() const { return 1; }
  void set(StepValues&) const {}
  template <class T, class Device> struct bind {
    void operator()(train::Stage<T, Device>&, int, const Context&) {}
  };
};
void step(NetworkBase<float>& net, optim::Sgd<float>& sgd) {
  train::Step<float, cpu, Mine> own(net, sgd, {}, 4);
}
