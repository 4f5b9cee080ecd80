// Paper 002 against PyTorch: representation matching where an added linear layer brings the
// student's features to the teacher's, three steps of it, and the inversion of features. See
// rrm.py.
#include <doctest/doctest.h>

#include <rnx/attack.hpp>
#include <rnx/models.hpp>
#include <rnx/train.hpp>

#include "golden/families.hpp"

using namespace rnx;

namespace {

template <int Width>
using Small = models::Classifier<models::Convolutions<>, 5, Named<"conv1", Conv<6, 3>>,
                                 Named<"bn1", BatchNorm<>>, Named<"relu1", act::Relu>,
                                 Named<"conv2", Conv<Width, 3, Stride<2>>>,
                                 Named<"bn2", BatchNorm<>>, Named<"relu2", act::Relu>>;
using In = Shape<3, 8, 8>;
using Student = Network<models::AddedLinear<Small<8>, 12>, In, cpu, precision::Double>;
using Tutoring = Network<Small<12>, In, cpu, precision::Double>;

constexpr double tolerance = 1e-9;

struct Rrm002 {
  const golden::json values = golden::load("rrm");
  const int n = values.at("n");
  Tutoring teacher{};
  Rrm002() { golden::fill(teacher, "teacher."); }

  Tensor<double> images(int k) const {
    return Tensor<double>::from_nchw(n, In::dims, golden::batch(k, n, 192));
  }
  static bool near(double found, double wanted) {
    return std::abs(found - wanted) <= tolerance * std::abs(wanted);
  }
};

void check_projections(const Student& net, const golden::json& expected, const double* base) {
  CHECK(net.parameter_list().size() == expected.size());
  for (const auto& p : net.parameter_list()) {
    CAPTURE(p.name);
    CHECK(golden::projection_error(expected.at(p.name), p.name, base + p.offset, p.count) <
          tolerance);
  }
}

template <template <class, class> class Distance> void check_steps(const std::string& name) {
  CAPTURE(name);
  const Rrm002 f;
  const golden::json& expected = f.values.at("steps").at(name);
  Student net;
  golden::fill(net);
  optim::Sgd<double> sgd({.momentum = 0.9, .weight_decay = 5e-4});
  train::Step<double, cpu> step(net, sgd, train::Rrm<Distance>{.teacher = f.teacher}, f.n);
  for (int k = 0; k < 3; ++k) {
    step.images() = f.images(k);
    step.labels().upload(golden::labels(k, f.n, net.classes()));
    step.set({.lr = 0.1, .momentum = 0.9});
    step(f.n);
    CHECK(f.near(step.value(), expected.at("losses").at(k)));
    if (k == 0) check_projections(net, expected.at("grads"), step.grads().flat.data());
  }
  check_projections(net, expected.at("parameters"), std::as_const(net).parameters());
  std::size_t buffers = 0;
  std::as_const(net).visit_buffers([&](const auto& b) {
    if (b.name.starts_with("normalize.")) return;
    CAPTURE(b.name);
    ++buffers;
    CHECK(golden::projection_error(expected.at("running").at(b.name), b.name, b.value, b.count) <
          tolerance);
  });
  CHECK(buffers == expected.at("running").size());
}

}  // namespace

TEST_CASE("three steps of RRM through an added linear layer are PyTorch's, with both distances") {
  check_steps<loss::Cosine>("cosine");
  check_steps<loss::RelativeL2>("relative l2");
}

TEST_CASE("ten steps of feature inversion are PyTorch's, with and without a ball that holds it") {
  const Rrm002 f;
  for (const golden::json& expected : f.values.at("inversion")) {
    CAPTURE(expected.at("eps").get<double>());
    const attack::Inversion<> inversion{.eps = expected.at("eps").get<double>(), .steps = 10};
    attack::Workspace<double> work(f.teacher, f.n, 0, inversion.keep());
    const Tensor<double> x = f.images(0), start = f.images(1);
    Tensor<double> result(f.n, In::dims);
    inversion(f.teacher, work, x.view(), start.view(), result.view());
    const golden::Uniform direction("direction.image");
    const std::vector<double> found = result.to_nchw();
    for (int i = 0; i < f.n; ++i) {
      double sum = 0;
      for (std::size_t k = 0; k < 192; ++k)
        sum += found[std::size_t(i) * 192 + k] * (2 * direction(k) - 1);
      CHECK(std::abs(sum - expected.at("images").at(i).get<double>()) < tolerance);
    }
  }
}

TEST_CASE("features of other sizes are refused with both") {
  const Rrm002 f;
  Network<Small<8>, In, cpu, precision::Double> narrow;
  optim::Sgd<double> sgd;
  CHECK_THROWS_WITH_AS(
      (train::Step<double, cpu>(narrow, sgd, train::Rrm<>{.teacher = f.teacher}, 4)),
      "objective: match.clean compares (8, 1, 1) of 'clean' with (12, 1, 1) of 'teacher'",
      ShapeError);
}
