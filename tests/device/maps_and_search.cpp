// Quantizers, distillation and search on the loopback device: networks with their operations
// compute the CPU's bits there.
#include "support/batch.hpp"

#include <doctest/doctest.h>

#include <rnx/distill.hpp>
#include <rnx/kernels/loopback.hpp>
#include <rnx/optim.hpp>
#include <rnx/search.hpp>

using namespace rnx;
namespace {

constexpr int n = 3, classes = 4;
using Values = std::vector<float>;

template <class Device> Tensor<float, Device> on(const Tensor<float>& host) {
  Tensor<float, Device> x(host.n(), host.dims());
  x.upload(host.download());
  return x;
}
void append(Values& to, const Values& more) { to.insert(to.end(), more.begin(), more.end()); }

/// Logits, input gradient, parameter gradients and committed statistics of one training pass over a
/// stated dL/dz.
template <class Spec, class In, class Device> struct Trained {
  Network<Spec, In, Device> net{4};
  Trace<float, Device> trace;
  Grads<float, Device> grads = net.make_grads();
  Tensor<float, Device> x, dx{n, In::dims};
  optim::StepState<Device> state{{.seed = 6, .draw = 2, .temperature = 1.4}};
  Subnet subnet;

  explicit Trained(std::vector<Keep> keep = {})
      : trace(net.make_trace({.use = Use::train, .capacity = n, .keep = std::move(keep)})),
        x(on<Device>(support::images<float>(n, In::dims, 5))) {
    grads.zero();
  }
  Values forward(const Subnet* s = nullptr) {
    return to_host(net.forward(trace, std::as_const(x).view(),
                               {.mode = Mode::train, .subnet = s, .values = state.get()}));
  }
  Values backward() {
    Values seed(n * classes);
    for (std::size_t i = 0; i < seed.size(); ++i) seed[i] = float(int(i % 5) - 2) / 4;
    memory<Device>::upload(trace.logits_gradient().data, seed.data(), seed.size() * sizeof(float));
    net.backward(trace, dx.view(), &grads);
    net.commit_statistics(trace);
    Values all = dx.download(), statistics(net.buffer_storage());
    append(all, grads.flat.download());
    memory<Device>::download(statistics.data(), std::as_const(net).buffers(),
                             statistics.size() * sizeof(float));
    append(all, statistics);
    return all;
  }
};

using Maps = Sequential<
    Named<"first", Conv<18, 3, Bias<true>>>, Named<"bn1", BatchNorm<>>,
    Named<"bases", Conv<20, 3, Stride<2>, quant::MultiBit<2>, quant::MultiBitActivation<2>>>,
    Named<"bn2", BatchNorm<>>, Named<"wide", Conv<16, 3, quant::MultiBitActivation<2>>>,
    Named<"bn3", BatchNorm<>>,
    Named<"sign", Conv<16, 3, Groups<2>, quant::Sign, quant::SignActivation>>, GlobalAveragePool,
    Linear<classes>>;
using Elastic = Sequential<
    Named<"stage", search::ElasticStage<2, 8, 16, 3, 1, 1, false, search::ElasticKernel<5, 3>>>,
    GlobalAveragePool, Linear<classes>>;
using Masked = Sequential<Named<"stage", search::MaskedStage<2, 8, 2, 2, 16, 12, 8>>,
                          GlobalAveragePool, Linear<classes>>;
using Teacher = Sequential<Conv<8, 3>, BatchNorm<>, act::Relu, Conv<12, 3, Stride<2>>,
                           GlobalAveragePool, Linear<classes>>;
using Image = Shape<3, 8, 8>;
using Features = Shape<8, 8, 8>;

template <class Device> Values maps() {
  Trained<Maps, Image, Device> t;
  Values all = t.forward();
  append(all, t.backward());
  return all;
}
template <class Device> Values elastic() {
  Trained<Elastic, Features, Device> t;
  const Subnet s = t.net.make_subnet({{"stage.*.conv1", "expansion", 2},
                                      {"stage.*.conv2", "kernel", 3},
                                      {"stage.*.conv3", "width", 8}});
  Values all = t.forward(&s);
  append(all, t.backward());
  return all;
}
template <class Device> Values masked() {
  Trained<Masked, Features, Device> t;
  search::MaskCost<float, Device> cost(t.net.graph());
  Values all = t.forward();
  all.push_back(float(cost.value(t.trace)));
  cost.add_gradient(t.trace, 1e-5);
  append(all, t.backward());
  return all;
}
template <class Device> Values tutor() {
  const Network<Maps, Image, Device> student(4);
  Network<Teacher, Image, Device> teacher(9);
  distill::TutorLoss<float, Device> loss(student.graph(), teacher.graph(), {.size = 6});
  Trained<Maps, Image, Device> t(loss.student_keep());
  auto trace = teacher.make_trace({.capacity = n, .keep = loss.teacher_keep()});
  teacher.forward(trace, std::as_const(t.x).view(), {});
  Values all = t.forward();
  auto logits = loss.make_grads();
  logits.zero();
  loss(t.trace, trace, 0.5, &logits);
  append(all, logits.flat.download());
  append(all, t.backward());
  Values value(1);
  memory<Device>::download(value.data(), loss.value(), sizeof(float));
  append(all, value);
  return all;
}
template <class Device> Values attention() {
  Network<Teacher, Image, Device> teacher(9);
  const std::vector<distill::AttentionPair> pairs{{"first", "0"}, {"bases", "3"}};
  using Transfer = distill::AttentionTransfer<float, Device>;
  Trained<Maps, Image, Device> t(Transfer::student_keep(pairs));
  auto trace = teacher.make_trace({.capacity = n, .keep = Transfer::teacher_keep(pairs)});
  teacher.forward(trace, std::as_const(t.x).view(), {});
  Values all = t.forward();
  Buffer<float, Device> values(n);
  Transfer(trace, pairs)(t.trace, {.weight = 0.3, .values = values.data()});
  append(all, values.download());
  append(all, t.backward());
  return all;
}
template <class Device> Values relations() {
  Network<Teacher, Image, Device> teacher(9);
  Trained<Maps, Image, Device> t({Keep::at("bn3").seeded()});
  auto trace = teacher.make_trace({.capacity = n, .keep = {Keep::at("3")}});
  teacher.forward(trace, std::as_const(t.x).view(), {});
  const auto target = trace.activation("3").value;
  Values all = t.forward();
  const auto feature = loss::at("bn3");
  const auto own = t.trace.activation("bn3").value;
  Buffer<float, Device> rows(std::size_t(4 + n) * own.dims.count()), at(3), values(n);
  const distill::FeatureMemory<float> memory{4, n, int(own.dims.count()), rows.data(), at.data()};
  const auto add = [&](const auto& loss) {
    loss(t.trace, loss::Call<float>{.weight = 0.3, .values = values.data()});
    append(all, values.download());
  };
  add(distill::Similarity<float, Device>(target, feature));
  add(distill::RelationalDistance<float, Device>(target, feature));
  add(distill::RelationalAngle<float, Device>(target, feature));
  for (int k = 0; k < 3; ++k) {
    add(distill::InfoNce<float, Device>(own, memory, 0.5, feature));
    distill::remember<float, Device>(memory);
  }
  append(all, at.download());
  append(all, t.backward());
  return all;
}
/// Equal bits, and numbers that say something.
void same(const Values& device, const Values& host) {
  CHECK(device == host);
  float size = 0;
  bool finite = true;
  for (float v : host) {
    size = std::max(size, std::abs(v));
    finite = finite && std::isfinite(v);
  }
  CHECK(finite);
  CHECK(size > 0.1f);
}

}  // namespace

TEST_CASE("loopback: a network with quantizers has the CPU's bits") {
  same(maps<loopback>(), maps<cpu>());
}
TEST_CASE("loopback: an elastic stage under a subnet has the CPU's bits") {
  same(elastic<loopback>(), elastic<cpu>());
}
TEST_CASE("loopback: channel masks and their cost have the CPU's bits") {
  same(masked<loopback>(), masked<cpu>());
}
TEST_CASE("loopback: the tutor loss has the CPU's bits") { same(tutor<loopback>(), tutor<cpu>()); }
TEST_CASE("loopback: losses that couple a batch have the CPU's bits") {
  same(relations<loopback>(), relations<cpu>());
}
TEST_CASE("loopback: attention transfer has the CPU's bits") {
  same(attention<loopback>(), attention<cpu>());
}
