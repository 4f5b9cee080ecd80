// A small network that is right on every image, and what an attack makes of them.
#pragma once

#include "support/batch.hpp"

#include <rnx/attack.hpp>

namespace small {

using namespace rnx;

using Net = Network<support::SmallResNet<>, Shape<3, 8, 8>>;
constexpr int n = 11;
struct Case {
  Net net{4};
  Tensor<float> x = support::images<float>(n, {3, 8, 8});
  std::vector<std::int32_t> y = std::vector<std::int32_t>(n);
  attack::Workspace<float> work{net, n, 4};

  Case() {  // right on every image
    auto trace = net.make_trace({.capacity = n});
    const auto z = to_host(net.forward(trace, std::as_const(x).view(), {}));
    for (int i = 0; i < n; ++i) y[i] = argmax(z.data() + 10 * i, 10);
  }
  template <class Attack, class Loss>
  std::vector<float> moved(const Attack& attack, const Loss& loss, Context ctx = {}) {
    Tensor<float> a(n, x.dims());
    attack(net, work, std::as_const(x).view(), a.view(), loss, ctx);
    return a.download();
  }
  /// Of the images.
  std::vector<bool> fooled(const std::vector<float>& images) {
    Tensor<float> t(n, x.dims());
    t.upload(images);
    auto trace = net.make_trace({.capacity = n});
    const auto z = to_host(net.forward(trace, std::as_const(t).view(), {}));
    std::vector<bool> found(n);
    for (int i = 0; i < n; ++i) found[i] = argmax(z.data() + 10 * i, 10) != y[i];
    return found;
  }
  template <class Attack> std::vector<float> moved(const Attack& attack) {
    return moved(attack, loss::CrossEntropy{.labels = y.data()});
  }
};

}  // namespace small
