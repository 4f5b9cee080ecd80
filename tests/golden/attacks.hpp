// The small network and the images of attacks.json, in double; see attacks.py.
#pragma once

#include "golden/golden.hpp"

#include <rnx/attack.hpp>

namespace golden::attacks {

using namespace rnx;

constexpr int n = 6, classes = 6;
using Small = Network<Sequential<Named<"a", Conv<8, 3, Stride<2>>>, Named<"swish", act::HardSwish>,
                                 Named<"b", Conv<12, 3, Stride<2>>>, Named<"relu", act::Relu>,
                                 GlobalAveragePool, Named<"fc", Linear<6>>>,
                      Shape<3, 11, 11>, cpu, precision::Double>;

/// Everything that a comparison needs.
struct Setup {
  json all = load("attacks");
  Small net;
  Tensor<double> x = images("attacks.x");
  std::vector<std::int32_t> labels = whole("labels"), targets = whole("targets");

  Setup() {
    for (const auto& p : net.graph().parameters) {
      auto v = rule_values<double>(p.name, p.shape);
      if (p.name.starts_with("fc."))  // logits are 8 times those of the rule
        for (double& w : v) w *= 8;
      net.set(p.name, v);
    }
  }
  static Tensor<double> images(const std::string& name) {
    return Tensor<double>::from_nchw(n, {3, 11, 11}, u_values(name, n * 363));
  }
  std::vector<std::int32_t> whole(const char* name) const {
    std::vector<std::int32_t> v;
    for (const double d : numbers(all.at(name))) v.push_back(std::int32_t(d));
    return v;
  }
  template <class Norm> double eps() const { return numbers(all.at("eps").at(name<Norm>()))[0]; }
  template <class Norm> static const char* name() {
    return Norm::kind == op::Norm::linf ? "Linf" : Norm::kind == op::Norm::l2 ? "L2" : "L1";
  }
  /// What attacks.json holds of each image: the sum of its pixels times 2 u("attacks.direction") -
  /// 1.
  static std::vector<double> projection(View<const double> images) {
    const auto direction = u_values("attacks.direction", 363);
    const auto v = to_nchw(images);
    std::vector<double> sums(images.n, 0);
    for (std::size_t i = 0; i < v.size(); ++i) sums[i / 363] += v[i] * (2 * direction[i % 363] - 1);
    return sums;
  }
};

}  // namespace golden::attacks
