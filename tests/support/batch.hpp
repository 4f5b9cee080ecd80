// Small networks and batches that several tests share.
#pragma once

#include <rnx/models.hpp>

namespace support {

using namespace rnx;

/// A residual network of two blocks with batch norm, cheap enough for exhaustive checks.
template <class Norm = BatchNorm<>>
using SmallResNet = models::Classifier<
    models::Convolutions<>, 10, Named<"conv1", Conv<8, 3>>, Named<"bn1", Norm>,
    Named<"relu", act::Relu>,
    Named<"layer1",
          Repeat<1, models::BasicBlock<8, 1, Identity, models::Convolutions<>, Norm, act::Relu>>>,
    Named<"layer2", Repeat<1, models::BasicBlock<16, 2, PadShortcut<16, 2>, models::Convolutions<>,
                                                 Norm, act::Relu>>>>;

template <class T> Tensor<T> images(int n, Dims d, std::uint64_t seed = 1) {
  Tensor<T> x(n, d);
  const rng::Stream random(seed, Purpose::test);
  for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = T(random.uniform(i));
  return x;
}
inline std::vector<std::int32_t> labels(int n, int classes, std::uint64_t seed = 1) {
  std::vector<std::int32_t> y(n);
  const rng::Stream random(seed, Purpose::data);
  for (int i = 0; i < n; ++i) y[i] = std::int32_t(random.uniform(i) * classes);
  return y;
}
template <class T, class Device> std::vector<T> parameters(const Parametrised<T, Device>& p) {
  std::vector<T> v(p.parameter_storage());
  memory<Device>::download(v.data(), p.parameters(), v.size() * sizeof(T));
  return v;
}

}  // namespace support
