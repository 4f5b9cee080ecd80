// The door: one network type, trained and attacked on a device and on the CPU from the same
// weights.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>

#include <doctest/doctest.h>

#include "rnx/attack/cpu.hpp"
#include "rnx/loss/cpu.hpp"
#include "rnx/network.hpp"
#include "rnx/optim/cpu.hpp"

namespace test {

using rnx::Dims, rnx::Named, rnx::Sequential, rnx::Linear, rnx::Conv, rnx::Stride, rnx::BatchNorm,
    rnx::Shape;
namespace op = rnx::op;
namespace act = rnx::act;
using Mlp =
    Sequential<Named<"fc1", Linear<32>>, Named<"relu", act::Relu>, Named<"fc2", Linear<10>>>;
/// Convolution, batch norm, pooling and a linear layer on a small image.
using SmallConvolution =
    Sequential<Named<"conv1", Conv<8, 3>>, Named<"bn1", BatchNorm<>>, act::Relu,
               Named<"conv2", Conv<16, 3, Stride<2>>>, Named<"bn2", BatchNorm<>>, act::HardSwish,
               rnx::GlobalAveragePool, Named<"fc", Linear<10>>>;

template <class T> struct Result {
  std::vector<T> losses, logits, gradient, parameters, buffers, linf, l2;
  bool operator==(const Result&) const = default;
};

/// Largest difference over the expected values' largest.
template <class T> double relative(const std::vector<T>& found, const std::vector<T>& expected) {
  REQUIRE(found.size() == expected.size());
  double difference = 0, size = 1e-300;
  for (std::size_t i = 0; i < found.size(); ++i) {
    difference = std::isnan(found[i])
                     ? 1e300
                     : std::fmax(difference, std::fabs(double(found[i]) - double(expected[i])));
    size = std::fmax(size, std::fabs(double(expected[i])));
  }
  return difference / size;
}
/// Share of elements that differ by more than `tolerance`: a gradient of almost zero may take
/// either sign.
template <class T>
double changed(const std::vector<T>& found, const std::vector<T>& expected, double tolerance) {
  REQUIRE(found.size() == expected.size());
  std::size_t count = 0;
  for (std::size_t i = 0; i < found.size(); ++i)
    count += !(std::fabs(double(found[i]) - double(expected[i])) <= tolerance);
  return double(count) / found.size();
}

/// A network, a batch of images with labels, and what training and attacks on it need.
template <class Spec, class In, class Device, class Precision> struct Setup {
  using T = typename Precision::store;
  static constexpr int n = 24;
  rnx::Network<Spec, In, Device, Precision> net;
  rnx::Trace<T, Device> trace;
  rnx::Grads<T, Device> grads;
  rnx::Tensor<T, Device> x, adversarial, dx;
  rnx::Buffer<std::int32_t, Device> labels;
  rnx::Buffer<T, Device> losses, velocity;
  rnx::Buffer<rnx::StepValues, Device> values;

  Setup()
      : net(5),
        trace(net.make_trace({.use = rnx::Use::train, .capacity = n})),
        grads(net.make_grads()),
        x(n, In::dims),
        adversarial(n, In::dims),
        dx(n, In::dims),
        labels(n),
        losses(n),
        velocity(net.parameter_storage()),
        values(1) {
    const rnx::rng::Stream random(3, rnx::Purpose::test);
    std::vector<T> pixels(n * Dims(In::dims).count());
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = T(random.uniform(i));
    x.upload(pixels);
    std::vector<std::int32_t> classes(n);
    for (int i = 0; i < n; ++i) classes[i] = i % 10;
    labels.upload(classes);
    rnx::StepValues step;
    step.seed = 1;
    step.lr = 0.1;
    step.momentum = 0.9;
    step.eps = 0.1;
    step.step = 0.04;
    values.upload(std::span<const rnx::StepValues>(&step, 1));
  }

  auto forward(const rnx::Tensor<T, Device>& input, rnx::Mode mode) {
    rnx::Context ctx;
    ctx.values = values.data();
    ctx.mode = mode;
    return net.forward(trace, input.view(), ctx);
  }
  void gradient_of_loss(double weight) {
    const auto z = trace.logits();
    rnx::run<Device>(
        {}, op::cross_entropy<T>{.logits = {rnx::geometry::map(z), z.data},
                                 .dz = {rnx::geometry::map(z), trace.logits_gradient().data},
                                 .labels = labels.data(),
                                 .value = losses.data(),
                                 .smoothing = 0,
                                 .weight = weight,
                                 .add = false});
  }
  /// One step of SGD with momentum and decay.
  void train_step(bool first) {
    forward(x, rnx::Mode::train);
    gradient_of_loss(1.0 / n);
    grads.zero();
    net.backward(trace, {}, &grads);
    net.commit_statistics(trace);
    rnx::run<Device>({}, op::sgd_step<T>{.count = net.parameter_storage(),
                                         .lr_factor = 1,
                                         .decay = 5e-4,
                                         .nesterov = false,
                                         .first = first,
                                         .values = values.data(),
                                         .clip = nullptr,
                                         .gradient = grads.flat.data(),
                                         .velocity = velocity.data(),
                                         .parameter = net.mutable_parameters()});
  }
  std::vector<T> parameters() const {
    rnx::Buffer<T, Device> all(net.parameter_storage());
    rnx::memory<Device>::copy(all.data(), net.parameters(), all.size() * sizeof(T));
    return all.download();
  }
  std::vector<T> buffers() const {
    rnx::Buffer<T, Device> all(net.buffer_storage());
    rnx::memory<Device>::copy(all.data(), net.buffers(), all.size() * sizeof(T));
    return all.download();
  }
  /// The batch after `steps` steps from a random start. In Linf with FGSM's step.
  std::vector<T> attack(op::Norm norm, int steps) {
    const auto map = rnx::geometry::map(x.view());
    rnx::run<Device>({}, op::attack_start<T>{.clean = {map, x.data()},
                                             .adversarial = {map, adversarial.data()},
                                             .values = values.data(),
                                             .norm = norm,
                                             .draw = 0,
                                             .first_sample = 0});
    for (int k = 0; k < steps; ++k) {
      forward(adversarial, rnx::Mode::eval);
      gradient_of_loss(1);
      net.backward(trace, dx.view(), nullptr);
      rnx::run<Device>({}, op::attack_step<T>{.clean = {map, x.data()},
                                              .gradient = {map, dx.data()},
                                              .adversarial = {map, adversarial.data()},
                                              .values = values.data(),
                                              .norm = norm,
                                              .fgsm = norm == op::Norm::linf});
    }
    return adversarial.download();
  }
};

/// `steps` steps of SGD with momentum and decay on one batch, then FGSM and three L2 steps from a
/// random start.
template <class Spec, class In, class Device, class Precision> auto train_and_attack(int steps) {
  Setup<Spec, In, Device, Precision> s;
  Result<typename Precision::store> r;
  for (int k = 0; k < steps; ++k) {
    s.train_step(k == 0);
    if (k == 0) r.gradient = s.grads.flat.download();
  }
  const auto z = s.forward(s.x, rnx::Mode::eval);
  s.gradient_of_loss(1);
  r.logits = rnx::to_host(z);
  r.losses = s.losses.download();
  r.parameters = s.parameters();
  r.buffers = s.buffers();
  r.linf = s.attack(op::Norm::linf, 1);
  r.l2 = s.attack(op::Norm::l2, 3);
  return r;
}

template <class Spec, class In, class Device, class Precision>
void same_as_cpu(double tolerance, int steps = 20) {
  const bool learns = steps >= 20;
  CAPTURE(sizeof(typename Precision::store));
  const auto expected = train_and_attack<Spec, In, rnx::cpu, Precision>(steps),
             found = train_and_attack<Spec, In, Device, Precision>(steps);
  CHECK(relative(found.gradient, expected.gradient) < tolerance);
  CHECK(relative(found.logits, expected.logits) < tolerance);
  CHECK(relative(found.losses, expected.losses) < 10 * tolerance);  // small differences of logits
  CHECK(relative(found.parameters, expected.parameters) < tolerance);
  if (!expected.buffers.empty()) CHECK(relative(found.buffers, expected.buffers) < tolerance);
  CHECK(changed(found.linf, expected.linf, 1e-6) < 0.005);
  CHECK(relative(found.l2, expected.l2) < 10 * tolerance);
  CHECK(found == train_and_attack<Spec, In, Device, Precision>(steps));
  const double mean =
      std::accumulate(found.losses.begin(), found.losses.end(), 0.0) / double(found.losses.size());
  if (learns) CHECK(mean < 2.2);  // log 10 = 2.3
}

template <class Device> void mlp() {
  same_as_cpu<Mlp, Shape<75>, Device, rnx::precision::Float>(1e-5);
  same_as_cpu<Mlp, Shape<75>, Device, rnx::precision::Double>(1e-12);
}
template <class Device> void small_convolution() {
  same_as_cpu<SmallConvolution, Shape<3, 9, 8>, Device, rnx::precision::Float>(1e-4);
  same_as_cpu<SmallConvolution, Shape<3, 9, 8>, Device, rnx::precision::Double>(1e-11);
}

}  // namespace test
