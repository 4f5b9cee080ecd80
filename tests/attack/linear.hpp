// Linear models of two classes in double, whose worst cases have closed forms, with pixels at the
// border of [0, 1] or without.
#pragma once

#include "golden/golden.hpp"

#include <algorithm>
#include <numeric>

#include <doctest/doctest.h>

#include <rnx/attack.hpp>

namespace linear {

using namespace rnx;

constexpr int n = 4, side = 5, features = 3 * side * side;
using Net = Network<Linear<2, false>, Shape<3, side, side>, cpu, precision::Double>;

struct Model {
  Net net{0};
  std::vector<double> w = golden::u_values("linear.w", features),
                      at = golden::u_values("linear.x", n*features);
  std::vector<std::int32_t> labels{0, 1, 0, 1};
  Tensor<double> x;

  /// border: pixels are 0, 1 or near; otherwise no perturbation below 0.2 reaches the border.
  explicit Model(bool border) {
    std::vector<double> both(2 * features);
    for (int i = 0; i < features; ++i) {
      w[i] = 2 * w[i] - 1;
      both[i] = w[i];
      both[features + i] = -w[i];
    }
    net.set("weight", both);
    for (double& v : at) v = border ? std::clamp(1.4 * v - 0.2, 0.0, 1.0) : 0.3 + 0.4 * v;
    x = Tensor<double>::from_nchw(n, {3, side, side}, at);
  }
  /// How far the difference of label and other logit, 2 w.x, falls from x to `to`.
  std::vector<double> fall(View<const double> to) const {
    const std::vector<double> v = to_nchw(to);
    std::vector<double> sums(n, 0);
    for (int i = 0; i < n * features; ++i)
      sums[i / features] += (labels[i / features] ? 2 : -2) * w[i % features] * (v[i] - at[i]);
    return sums;
  }
  /// The largest fall in the ball of radius eps and [0, 1].
  double worst(op::Norm norm, int sample, double eps) const {
    std::vector<double> size(features), room(features);
    for (int i = 0; i < features; ++i) {
      const double towards = labels[sample] ? w[i] : -w[i], v = at[sample * features + i];
      size[i] = std::abs(w[i]);
      room[i] = towards > 0 ? 1 - v : v;
    }
    double sum = 0;
    if (norm == op::Norm::linf) {
      for (int i = 0; i < features; ++i) sum += size[i] * std::min(eps, room[i]);
    } else if (norm == op::Norm::l1) {
      std::vector<int> order(features);
      std::iota(order.begin(), order.end(), 0);
      std::sort(order.begin(), order.end(), [&](int a, int b) { return size[a] > size[b]; });
      for (const int i : order) {
        const double moved = std::min(eps, room[i]);
        sum += size[i] * moved;
        eps -= moved;
      }
    } else {
      double low = 0, high = 1e4;
      for (int k = 0; k < 200; ++k) {
        const double t = (low + high) / 2;
        double squares = 0;
        for (int i = 0; i < features; ++i) squares += std::pow(std::min(t * size[i], room[i]), 2);
        (squares < eps * eps ? low : high) = t;
      }
      for (int i = 0; i < features; ++i) sum += size[i] * std::min(low * size[i], room[i]);
    }
    return 2 * sum;
  }
};

template <class Norm> double radius() {
  return Norm::kind == op::Norm::linf ? 0.1 : Norm::kind == op::Norm::l2 ? 0.5 : 2;
}
/// Near the border of [0, 1] the published L2 steps clip after projecting and L1 steps move a share
/// of the pixels: they end that far from the worst case.
template <class Norm, class Attack>
void reaches_worst_case(const Attack& attack, double at_border = 1e-4) {
  for (const bool border : {false, true}) {
    CAPTURE(Norm::name);
    CAPTURE(border);
    const Model m(border);
    attack::Workspace<double> work(m.net, n);
    Tensor<double> a(n, m.x.dims());
    attack(m.net, work, m.x.view(), a.view(), loss::Margin{.labels = m.labels.data()});
    attack::verify<Norm, double>(m.x.download(), a.download(), n, radius<Norm>());
    const auto found = m.fall(a.view());
    for (int i = 0; i < n; ++i) {
      const double worst = m.worst(Norm::kind, i, radius<Norm>());
      CHECK(found[i] <= worst * (1 + 1e-9));
      CHECK(found[i] == doctest::Approx(worst).epsilon(border ? at_border : 1e-4));
    }
  }
}

}  // namespace linear
