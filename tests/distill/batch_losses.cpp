// Losses that couple a batch: PyTorch's values and gradients (tests/golden/batch_losses.py),
// gradient checks through a network, parts of a batch, the memory of features, bad input.
#include "golden/golden.hpp"
#include "kernels/support.hpp"
#include "rnx/distill.hpp"
#include "rnx/loss.hpp"
#include "rnx/network.hpp"
#include "support/error_of.hpp"

using namespace rnx;
using support::error_of;

namespace {

constexpr int inputs = 7;
struct Middle {};
using Net = Network<Sequential<Named<"a", Linear<8>>, Named<"act", Tap<Middle, act::HardSwish>>,
                               Named<"fc", Linear<5>>>,
                    Shape<inputs>, cpu, precision::Double>;
using Plain =
    Network<Sequential<Named<"fc", Linear<inputs>>>, Shape<inputs>, cpu, precision::Double>;
using Trace64 = Trace<double, cpu>;

Tensor<double> matrix(const std::vector<double>& v, int wide) {
  return Tensor<double>::from_nchw(int(v.size()) / wide, {wide, 1, 1}, v);
}
Tensor<double> noise(int n, int wide, std::uint64_t site) {
  return matrix(test::numbers<double>(std::size_t(n) * wide, site), wide);
}
/// A network whose logits are its input.
Plain identity() {
  Plain net;
  std::vector<double> eye(inputs * inputs, 0.0);
  for (int i = 0; i < inputs; ++i) eye[std::size_t(i) * (inputs + 1)] = 1;
  net.set("fc.weight", eye);
  net.set("fc.bias", std::vector<double>(inputs, 0.0));
  return net;
}
/// Memory of a queue, and where it is.
struct Queue {
  std::vector<double> rows, at = {0, 0, 0};
  distill::FeatureMemory<double> memory;
  Queue(int newest, int batch, int wide)
      : rows(std::size_t(newest + batch) * wide, 0.0),
        memory{newest, batch, wide, rows.data(), at.data()} {}
  Queue(const Queue&) = delete;
};

/// The loss and its gradient in the logits against a golden entry.
template <class Loss>
void check(const golden::json& expected, const Tensor<double>& s, const Loss& loss) {
  const Plain net = identity();
  const int n = s.n();
  auto trace = net.make_trace({.use = Use::input_gradient, .capacity = n});
  loss::Values<double> values(n);
  net.forward(trace, s.view(), {});
  CHECK(std::abs(loss::mean(loss, trace, values) - expected["value"].get<double>()) < 1e-13);
  CHECK(golden::difference(to_host(View<const double, cpu>(trace.logits_gradient())),
                           golden::numbers(expected["grad"])) < 1e-13);
}

/// The gradient in the input, through the loss on `feature` beside cross-entropy, against central
/// differences along one direction; the value, and the loss's own memory, stay as they were.
template <class Make> void check_derivative(int n, Make make) {
  const Net net(3);
  Tensor<double> x = noise(n, inputs, 5);
  const loss::Labels<> labels(std::vector<std::int32_t>(std::size_t(n), 2), 5);
  loss::Values<double> values(n);
  const auto keep = Keep::tap<Middle>();
  const auto value = [&](Trace64& trace) {
    net.forward(trace, x.view(), {});
    return loss::mean(loss::sum(loss::term(0.3, loss::CrossEntropy{labels.data()}),
                                loss::term(0.7, make(loss::tapped<Middle>())),
                                loss::term(0.2, make(loss::logits()))),
                      trace, values);
  };
  auto trace = net.make_trace({.use = Use::input_gradient, .capacity = n, .keep = {keep.seeded()}});
  auto infer = net.make_trace({.capacity = n, .keep = {keep}});
  Tensor<double> dx(n, {inputs, 1, 1});
  const double here = value(trace);
  net.backward(trace, dx.view(), nullptr);
  CHECK(value(infer) == here);
  const std::vector<double> u = test::numbers<double>(x.size(), 6), start = x.download();
  const auto moved = [&](double h) {
    for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = start[i] + h * u[i];
    return value(infer);
  };
  double slope = 0;
  for (std::size_t i = 0; i < x.size(); ++i) slope += dx.data()[i] * u[i];
  const double h = 1e-5, numeric = (moved(h) - moved(-h)) / (2 * h);
  CHECK(std::abs(slope) > 1e-4);
  CHECK(std::abs(slope - numeric) < 1e-7 * std::max(1.0, std::abs(slope)));
}
/// Samples [first, n) of the target for the samples of the trace: the bits of their own batch.
template <class Make> void check_part(int n, int first, Make make) {
  const Plain net = identity();
  const Tensor<double> s = noise(n, inputs, 7), t = noise(n, 4, 8);
  auto trace = net.make_trace({.use = Use::input_gradient, .capacity = n});
  loss::Values<double> values(n);
  net.forward(trace, s.view().samples(first, n - first), {});
  const auto found = [&](View<const double, cpu> target, int at) {
    make(target)(trace, values.call(n - first, 1, at));
    auto all = values.host(n - first);
    const auto dz = to_host(View<const double, cpu>(trace.logits_gradient()));
    all.insert(all.end(), dz.begin(), dz.end());
    return all;
  };
  CHECK(found(t.view(), first) == found(t.view().samples(first, n - first), 0));
}

}  // namespace

TEST_CASE("losses of a batch are PyTorch's: similarity, relational distances and angles") {
  const golden::json all = golden::load("batch_losses");
  const Tensor<double> s = matrix(golden::numbers(all["s"]), 7),
                       t = matrix(golden::numbers(all["t"]), 5);
  check(all["similarity"], s, distill::Similarity(t.view()));
  check(all["distance"], s, distill::RelationalDistance(t.view()));
  check(all["angle"], s, distill::RelationalAngle(t.view()));
}

TEST_CASE("the contrastive loss is PyTorch's over several batches, whose keys are remembered") {
  const golden::json all = golden::load("batch_losses");
  Queue queue(all["newest"], 6, inputs);
  for (const golden::json& step : all["contrast"]) {
    const Tensor<double> s = matrix(golden::numbers(step["s"]), inputs),
                         t = matrix(golden::numbers(step["t"]), inputs);
    const distill::InfoNce<double> loss(t.view(), queue.memory, all["temperature"]);
    check(step, s, loss);
    check(step, s, loss);  // nothing is remembered until somebody says so
    distill::remember(queue.memory);
    distill::remember(queue.memory);  // once is enough
  }
  CHECK(queue.at == std::vector<double>{21 % 13, 13, 0});
}

TEST_CASE("losses of a batch: gradients are derivatives, on logits and kept features, in a sum") {
  constexpr int n = 9;
  const Tensor<double> t = noise(n, 6, 1);
  check_derivative(n, [&](loss::Feature f) { return distill::Similarity<double>(t.view(), f); });
  check_derivative(
      n, [&](loss::Feature f) { return distill::RelationalDistance<double>(t.view(), f); });
  check_derivative(n,
                   [&](loss::Feature f) { return distill::RelationalAngle<double>(t.view(), f); });
  Queue wide(4, n, 8), narrow(4, n, 5);
  const Tensor<double> keys = noise(n, 8, 2), logits = noise(n, 5, 3);
  for (Queue* q : {&wide, &narrow}) {  // four rows of a batch before
    const auto& before = q == &wide ? keys : logits;
    test::run(op::put_rows<double>{.x = before.view().samples(2, 4), .ring = q->memory.ring()});
    distill::remember(q->memory);
  }
  check_derivative(n, [&](loss::Feature f) {
    return f.is_logits() ? distill::InfoNce<double>(logits.view(), narrow.memory, 0.5, f)
                         : distill::InfoNce<double>(keys.view(), wide.memory, 0.5, f);
  });
}

TEST_CASE("losses of a batch: rows of the target, one sample, equal samples, any threads") {
  const auto similarity = [](auto t) { return distill::Similarity<double>(t); };
  const auto distance = [](auto t) { return distill::RelationalDistance<double>(t); };
  const auto angle = [](auto t) { return distill::RelationalAngle<double>(t); };
  check_part(8, 3, similarity);
  check_part(8, 3, distance);
  check_part(8, 3, angle);
  check_part(8, 7, similarity);  // one sample
  check_part(8, 7, distance);
  check_part(8, 7, angle);
  const auto compare = [](op::Relation kind, const std::vector<double>& s, int n, int wide) {
    const std::vector<double> t = test::numbers<double>(std::size_t(n) * 3, 4);
    std::vector<double> all(std::size_t(n) * (1 + wide));
    const test::Map m{n, 1, 1, wide, wide};
    test::run(op::row_relations<double>{.s = {m, s.data()},
                                        .t = {{n, 1, 1, 3, 3}, t.data()},
                                        .ds = {m, all.data() + n},
                                        .value = all.data(),
                                        .kind = kind,
                                        .weight = 0.5,
                                        .add = false});
    return all;
  };
  for (const auto kind : {op::Relation::similarity, op::Relation::distance, op::Relation::angle}) {
    const auto big = test::numbers<double>(40 * 65, 3);
    CHECK(test::same_for_threads([&] { return compare(kind, big, 40, 65); }));
    for (double v : compare(kind, {1, 2}, 1, 2))
      CHECK((v == 0 || kind == op::Relation::similarity));
    std::vector<double> twins = test::numbers<double>(12, 5), bad = twins;
    std::copy_n(twins.begin(), 3, twins.begin() + 6);  // rows 0 and 2 are equal
    for (double v : compare(kind, twins, 4, 3)) CHECK(std::isfinite(v));
    bad[7] = NAN;
    bool found = false;
    for (double v : compare(kind, bad, 4, 3)) found |= std::isnan(v);
    CHECK(found);
    const std::vector<double> equal(12, 0.5);
    for (int i = 0; i < 4; ++i)
      CHECK(std::isnan(compare(kind, equal, 4, 3)[std::size_t(i)]) ==
            (kind == op::Relation::distance));
  }
}

TEST_CASE("losses of a batch: what does not fit is refused with one sentence") {
  const Plain net = identity();
  const Tensor<double> x = noise(4, inputs, 1), few = noise(3, 5, 2), same = noise(4, inputs, 2);
  auto trace = net.make_trace({.use = Use::input_gradient, .capacity = 4});
  net.forward(trace, x.view(), {});
  CHECK(error_of<ShapeError>([&] { distill::Similarity(few.view())(trace, {}); }) ==
        "loss relations: the target has 3 samples, the trace holds samples 0 to 3");
  CHECK(error_of<ShapeError>([&] {
          distill::Similarity(View<const double, cpu>{})(trace, {});
        }).starts_with("loss relations: expected a target"));
  CHECK(error_of<NameError>([&] {
          distill::Similarity(same.view(), loss::at("nowhere"))(trace, {});
        }) == "trace: 'nowhere' is not kept; name it in TraceOptions::keep");
  Queue queue(8, 4, inputs), small(8, 3, inputs);
  const auto contrast = [&](const distill::FeatureMemory<double>& m, double temperature) {
    distill::InfoNce<double>(same.view(), m, temperature)(trace, {});
  };
  CHECK(error_of<UsageError>([&] {
          contrast(queue.memory, 0);
        }).starts_with("loss contrastive: the temperature must be positive"));
  CHECK(error_of<ShapeError>([&] { contrast(small.memory, 1); }) ==
        "loss contrastive: the memory is for batches of 3 rows of 7 values, found 4 of 7");
  CHECK(error_of<UsageError>([&] { contrast({.newest = -1, .batch = 4, .width = 7}, 1); }) ==
        "contrastive loss: expected a memory of 0 to 16777216 rows, found -1");
}

static_assert(loss::PerBatch<distill::Similarity<float>, float, cpu>);
static_assert(!loss::PerSample<distill::Similarity<float>, float, cpu>);
static_assert(loss::PerSample<loss::CrossEntropy, float, cpu>);
static_assert(!loss::PerBatch<loss::CrossEntropy, float, cpu>);
