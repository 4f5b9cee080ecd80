// One test body for the families that resnet.hpp does not cover: logits, input gradient and every
// parameter's gradient against families.json.
#pragma once

#include <doctest/doctest.h>

#include <rnx/loss/cpu.hpp>
#include <rnx/models.hpp>

#include "golden/golden.hpp"

namespace golden {

/// [norm, projection] of a gradient, against the same of PyTorch: the worse of both errors,
/// relative to the norm. A bias before a norm in train mode has a gradient of zero and its norm is
/// rounding, hence the floor.
inline double projection_error(const json& expected, const std::string& name, const double* g,
                               std::size_t n) {
  double squares = 0, sum = 0;
  const Uniform direction("direction." + name);
  for (std::size_t i = 0; i < n; ++i) {
    squares += g[i] * g[i];
    sum += g[i] * (2 * direction(i) - 1);
  }
  const double norm = expected[0];
  return std::max(std::abs(std::sqrt(squares) - norm), std::abs(sum - expected[1].get<double>())) /
         std::max(norm, 1e-3);
}

/// Spec with the rule's values on samples of shape In, in double. `name`: under "values" in
/// families.json.
template <class Spec, class In>
void check_family(const std::string& name, double tolerance = 1e-9) {
  using namespace rnx;
  const json golden = load("families").at("values").at(name);
  const int n = golden.at("n");
  Network<Spec, In, cpu, precision::Double> net;
  fill(net);
  auto trace = net.make_trace({.use = Use::train, .capacity = n});
  auto grads = net.make_grads();
  const auto x = Tensor<double>::from_nchw(n, In::dims, batch(0, n, In::dims.count()));
  const auto y = labels(0, n, net.classes());
  for (const Mode mode : {Mode::eval, Mode::train}) {
    const std::string which = mode == Mode::eval ? "eval" : "train";
    if (!golden.contains(which)) continue;
    CAPTURE(which);
    const json& e = golden.at(which);
    const double weight = mode == Mode::eval ? 1 : 1.0 / n;  // a sum, or a mean
    net.forward(trace, x.view(), {.mode = mode});
    const auto logits = trace.logits();
    CHECK(compare_record(e.at("logits"), to_host(logits)) < tolerance);
    std::vector<double> losses(n);
    run<cpu>({},
             op::cross_entropy<double>{.logits = logits,
                                       .dz = {geometry::map(logits), trace.logits_gradient().data},
                                       .labels = y.data(),
                                       .value = losses.data(),
                                       .smoothing = 0.0,
                                       .weight = weight,
                                       .add = false});
    double loss = 0;
    for (const double v : losses) loss += v * weight;
    CHECK(std::abs(loss - e.at("loss").get<double>()) < tolerance * std::abs(loss));
    Tensor<double> dx(n, In::dims);
    grads.zero();
    net.backward(trace, dx.view(), &grads);
    CHECK(compare_record(e.at("input_grad"), dx.to_nchw()) < tolerance);
    CHECK(net.parameter_list().size() == e.at("grads").size());
    for (const auto& p : net.parameter_list()) {
      CAPTURE(p.name);
      CHECK(projection_error(e.at("grads").at(p.name), p.name, grads.flat.data() + p.offset,
                             p.count) < tolerance);
    }
  }
}

}  // namespace golden
