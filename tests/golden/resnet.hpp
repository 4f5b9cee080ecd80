// One test body for the ResNet goldens: logits, gradients, running statistics and ten training
// steps against PyTorch.
#pragma once

#include <doctest/doctest.h>

#include <rnx/loss/cpu.hpp>
#include <rnx/models.hpp>
#include <rnx/optim/cpu.hpp>

#include "golden/golden.hpp"

namespace golden {

template <class Net> struct Runner {
  using T = typename Net::scalar;
  Net net{0};
  rnx::Trace<T> trace;
  rnx::Grads<T> grads;
  explicit Runner(int capacity)
      : trace(net.make_trace({.use = rnx::Use::train, .capacity = capacity})),
        grads(net.make_grads()) {
    fill(net);
  }

  /// Forward and backward of batch k; returns the summed or mean cross-entropy. dx may be empty.
  double step(int k, int n, rnx::Mode mode, bool mean, rnx::Tensor<T>* dx = nullptr) {
    x = rnx::Tensor<T>::from_nchw(n, {3, 32, 32}, batch<T>(k, n));
    const auto y = labels(k, n, 10);
    net.forward(trace, std::as_const(x).view(), {.mode = mode});
    const auto logits = trace.logits();
    std::vector<T> values(n);
    rnx::run<rnx::cpu>({}, rnx::op::cross_entropy<T>{
                               .logits = {rnx::geometry::map(logits), logits.data},
                               .dz = {rnx::geometry::map(logits), trace.logits_gradient().data},
                               .labels = y.data(),
                               .value = values.data(),
                               .smoothing = 0.0,
                               .weight = mean ? 1.0 / n : 1.0,
                               .add = false});
    grads.zero();
    if (dx) *dx = rnx::Tensor<T>(n, {3, 32, 32});
    net.backward(trace, dx ? dx->view() : rnx::View<T>{}, &grads);
    double sum = 0;
    for (T v : values) sum += v;
    return mean ? sum / n : sum;
  }
  rnx::Tensor<T> x;
};

template <class T, class Device>
std::vector<T> copy_of(const rnx::ParameterRef<T, Device>& p, bool gradient) {
  const T* from = gradient ? p.gradient : p.value;
  return {from, from + p.count};
}

/// The worst error of every listed gradient.
template <class R> double gradient_error(R& r, const json& records) {
  double worst = 0;
  std::size_t seen = 0;
  r.net.visit(r.grads, [&](const auto& p) {
    if (!records.contains(p.name)) return;
    worst = std::max(worst, compare_record(records.at(p.name), copy_of(p, true)));
    ++seen;
  });
  CHECK(seen == records.size());
  return worst;
}

/// Signs of every ReLU's output in train mode: where two runs differ, a gradient has another branch
/// of the kink.
template <class Net> std::vector<bool> relu_pattern(Net& net, int k, int n) {
  using T = typename Net::scalar;
  auto trace = net.make_trace(
      {.use = rnx::Use::infer, .capacity = n, .keep = {rnx::Keep::every(rnx::Kind::activation)}});
  const auto x = rnx::Tensor<T>::from_nchw(n, {3, 32, 32}, batch<T>(k, n));
  net.forward(trace, x.view(), {.mode = rnx::Mode::train});
  std::vector<bool> signs;
  for (const auto& a : trace.activations())
    for (const T v : rnx::to_host(a.value)) signs.push_back(v > 0);
  return signs;
}
/// Train-mode gradients in float against the double network's (which is held to PyTorch) on batches
/// where no pre-activation lies within rounding of a ReLU's kink: elsewhere one element on the
/// other side moves a gradient by far more than rounding does.
template <class Float, class Double> void check_float_gradients(int n, double tolerance) {
  Runner<Float> f(n);
  Runner<Double> d(n);
  int checked = 0;
  for (int k = 0; k < 12 && checked < 2; ++k) {
    if (relu_pattern(f.net, k, n) != relu_pattern(d.net, k, n)) continue;
    ++checked;
    rnx::Tensor<float> dx;
    rnx::Tensor<double> expected_dx;
    const double loss = f.step(k, n, rnx::Mode::train, true, &dx),
                 expected = d.step(k, n, rnx::Mode::train, true, &expected_dx);
    CHECK(std::abs(loss - expected) < tolerance * std::abs(expected));
    CHECK(difference(dx.download(), expected_dx.download(), true) < tolerance);
    double worst = 0;
    for (const auto& p : f.net.parameter_list()) {
      const float* a = f.grads.flat.data() + p.offset;
      const double* b = d.grads.flat.data() + p.offset;
      worst = std::max(worst, difference(std::vector<float>(a, a + p.count),
                                         std::vector<double>(b, b + p.count), true));
    }
    CHECK(worst < tolerance);
  }
  CHECK(checked == 2);
}

/// `train_gradients`: whether the train-mode gradients are compared too; in float a kink may forbid
/// it (check_float_gradients).
template <class Net>
void check_resnet(const std::string& name, double tolerance, bool train_gradients) {
  using T = typename Net::scalar;
  const json golden = load(name);
  const int n = golden.at("n");
  Runner<Net> r(8);
  CHECK(r.net.parameter_count() == golden.at("parameters").get<std::size_t>());
  rnx::Tensor<T> dx;
  SUBCASE("eval") {
    const json& e = golden.at("eval");
    const double loss = r.step(0, n, rnx::Mode::eval, false, &dx);
    CHECK(compare_record(e.at("logits"), rnx::to_host(r.trace.logits())) < tolerance);
    CHECK(std::abs(loss - e.at("loss_sum").get<double>()) < tolerance * std::abs(loss));
    CHECK(compare_record(e.at("input_grad"), dx.to_nchw()) < tolerance);
    CHECK(gradient_error(r, e.at("grads")) < tolerance);
  }
  SUBCASE("train") {
    const json& e = golden.at("train");
    const double loss = r.step(0, n, rnx::Mode::train, true, &dx);
    CHECK(compare_record(e.at("logits"), rnx::to_host(r.trace.logits())) < tolerance);
    CHECK(std::abs(loss - e.at("loss_mean").get<double>()) < tolerance * std::abs(loss));
    if (train_gradients) {
      CHECK(compare_record(e.at("input_grad"), dx.to_nchw()) < tolerance);
      CHECK(gradient_error(r, e.at("grads")) < tolerance);
    }
    r.net.commit_statistics(r.trace);
    double worst = 0;
    r.net.visit_buffers([&](const auto& b) {
      if (e.at("running").contains(b.name))
        worst = std::max(worst, compare_record(e.at("running").at(b.name), copy_of(b, false)));
    });
    CHECK(worst < tolerance);
  }
}

/// Ten steps of SGD with momentum and weight decay: every loss within `tolerance` (relative), and
/// the eval logits after them. In float PyTorch's own float run is the yardstick too: four times
/// its distance from the double run, at this step or one of the next two, is allowed on top.
/// Rounding grows from step to step, and with other vectors (fused multiply-adds) it may grow
/// earlier.
template <class Net>
void check_steps(const std::string& name, const char* which, double tolerance) {
  using T = typename Net::scalar;
  const json golden = load(name), &e = golden.at(which);
  const int n = e.at("n");
  Runner<Net> r(n);
  rnx::StepValues values{.lr = e.at("lr"), .momentum = e.at("momentum")};
  std::vector<T> velocity(r.net.parameter_storage());
  const double slack = sizeof(T) == 4 ? 4 : 0;
  for (int k = 0; k < 10; ++k) {
    const double loss = r.step(k, n, rnx::Mode::train, true), expected = e.at("losses")[k];
    const auto deviations = e.at("deviation_float32").at("losses").get<std::vector<double>>();
    const double deviation =
        *std::max_element(deviations.begin() + k, deviations.begin() + std::min(k + 3, 10));
    CHECK(std::abs(loss - expected) < tolerance * std::abs(expected) + slack * deviation);
    r.net.commit_statistics(r.trace);
    rnx::run<rnx::cpu>({}, rnx::op::sgd_step<T>{.count = r.net.parameter_storage(),
                                                .lr_factor = 1.0,
                                                .decay = e.at("weight_decay"),
                                                .nesterov = false,
                                                .first = k == 0,
                                                .values = &values,
                                                .clip = nullptr,
                                                .gradient = r.grads.flat.data(),
                                                .velocity = velocity.data(),
                                                .parameter = r.net.mutable_parameters()});
  }
  r.x = rnx::Tensor<T>::from_nchw(2, {3, 32, 32}, batch<T>(0, 2));
  r.net.forward(r.trace, std::as_const(r.x).view(), {});
  const double logits_slack = slack * e.at("deviation_float32").at("logits").get<double>() /
                              e.at("eval_logits_after").at("norm").get<double>();
  CHECK(compare_record(e.at("eval_logits_after"), rnx::to_host(r.trace.logits())) <
        tolerance + logits_slack);
}

}  // namespace golden
