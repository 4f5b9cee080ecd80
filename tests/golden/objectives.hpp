// One training step of an objective against objectives.json: the loss and its terms, every
// gradient, every running statistic. See objectives.py.
#pragma once

#include <doctest/doctest.h>

#include <rnx/models.hpp>
#include <rnx/train.hpp>

#include "golden/families.hpp"

namespace golden {

template <class Norm, int Width>
using Small = rnx::Network<
    rnx::Sequential<rnx::Named<"conv1", rnx::Conv<Width, 3>>, rnx::Named<"bn1", Norm>,
                    rnx::Named<"relu1", rnx::act::Relu>,
                    rnx::Named<"conv2", rnx::Conv<8, 3, rnx::Stride<2>>>, rnx::Named<"bn2", Norm>,
                    rnx::Named<"relu2", rnx::act::Relu>,
                    rnx::Named<"pool", rnx::Tap<rnx::Penultimate, rnx::GlobalAveragePool>>,
                    rnx::Named<"fc", rnx::Linear<5>>>,
    rnx::Shape<3, 8, 8>, rnx::cpu, rnx::precision::Double>;
using Student = Small<rnx::BatchNorm<rnx::paths::Dual>, 6>;
using Tutoring = Small<rnx::BatchNorm<>, 10>;

using AnyObjective = rnx::train::AnyObjective<double, rnx::cpu>;

/// The attack of the goldens: no random start, since PyTorch draws other numbers.
inline const rnx::attack::Pgd<> pgd{
    .eps = rnx::px(8), .step = rnx::px(4), .steps = 3, .start = rnx::attack::Start::clean};

inline Tutoring teacher() {
  Tutoring net;
  fill(net, "teacher.");
  return net;
}

/// The step's memory is for more samples than it is given. prepare(step): what is set before it.
struct ObjectiveCheck {
  static constexpr double tolerance = 1e-9;
  const json golden = load("objectives");
  int n = golden.at("n");

  template <class Prepare>
  void operator()(const std::string& name, AnyObjective objective, Prepare prepare,
                  const rnx::StepValues& values = {}) const {
    CAPTURE(name);
    const json& expected = golden.at("objectives").at(name);
    Student net;
    fill(net);
    rnx::optim::Sgd<double> sgd;
    rnx::train::Step<double, rnx::cpu> step(net, sgd, std::move(objective), n + 1);
    step.images() = images(0);
    auto y = labels(0, n, net.classes());
    y.resize(std::size_t(n) + 1);
    step.labels().upload(y);
    prepare(step);
    step.set(values);
    step(n);
    compare(expected, net, step);
  }
  void operator()(const std::string& name, AnyObjective objective) const {
    (*this)(name, std::move(objective), [](auto&) {});
  }
  rnx::Tensor<double> images(int k) const {
    return rnx::Tensor<double>::from_nchw(n + 1, {3, 8, 8}, batch(k, n + 1, 192));
  }

 private:
  template <class Step> void compare(const json& expected, Student& net, Step& step) const {
    const auto near = [](double found, const json& wanted) {
      return std::abs(found - wanted.get<double>()) <= tolerance * std::abs(wanted.get<double>());
    };
    CHECK(near(step.value(), expected.at("loss")));
    const auto terms = step.stage().values();
    CHECK(terms.size() == expected.at("terms").size());
    for (const auto& term : terms) {
      CAPTURE(term.name);
      CHECK(near(term.value, expected.at("terms").at(term.name)));
    }
    CHECK(net.parameter_list().size() == expected.at("grads").size());
    for (const auto& p : net.parameter_list()) {
      CAPTURE(p.name);
      CHECK(projection_error(expected.at("grads").at(p.name), p.name,
                             step.grads().flat.data() + p.offset, p.count) < tolerance);
    }
    std::size_t buffers = 0;
    std::as_const(net).visit_buffers([&](const auto& b) {
      CAPTURE(b.name);
      ++buffers;
      CHECK(projection_error(expected.at("running").at(b.name), b.name, b.value, b.count) <
            tolerance);
    });
    CHECK(buffers == expected.at("running").size());
    if (!expected.contains("part")) return;
    const auto& found = step.stage().part_grads(0).flat;
    const std::vector<double> of_part = numbers(expected.at("part"));
    REQUIRE(found.size() == of_part.size());
    for (std::size_t i = 0; i < of_part.size(); ++i)
      CHECK(std::abs(found.data()[i] - of_part[i]) <= tolerance * std::abs(of_part[i]));
  }
};

}  // namespace golden
