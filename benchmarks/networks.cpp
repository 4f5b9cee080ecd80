// Images a second and GFLOP/s of whole networks: inference, input gradient, training step, PGD-7 training step.
//   OMP_NUM_THREADS=2 bench_networks --benchmark_filter=resnet20
// FLOPs are nominal: 2 per multiply-accumulate, twice that for an input gradient, three times for a training step.
#include <algorithm>
#include <chrono>

#include <benchmark/benchmark.h>

#include <rnx/rnx.hpp>

namespace {

using namespace rnx;

/// The best of ten short measurements of fused multiply-adds on independent registers, all threads.
double fma_peak() {
  using V = host::vec<float>;
  constexpr long count = 200'000;
  constexpr int chains = 12;  // latency 4, two ports
  double best = 0;
  for (int trial = 0; trial < 10; ++trial) {
    const auto start = std::chrono::steady_clock::now();
#pragma omp parallel
    {
      V sum[chains] = {}, x = V{} + 0.5f, y = V{} + 0.25f;
      benchmark::DoNotOptimize(x), benchmark::DoNotOptimize(y);
      for (long i = 0; i < count; ++i)
#pragma GCC unroll 12
        for (int k = 0; k < chains; ++k) sum[k] = sum[k] * x + y;
      for (V& s : sum) benchmark::DoNotOptimize(s);
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    best = std::max(best, 2e-9 * count * chains * host::vector_lanes<float> * host::threads() / seconds);
  }
  return best;
}

void peak(benchmark::State& state) {
  double best = 0;
  for (auto _ : state) best = std::max(best, fma_peak());
  state.counters["GFLOP/s"] = best;
}
BENCHMARK(peak)->Name("fma_peak")->UseRealTime()->Unit(benchmark::kMillisecond);

/// A network, random images and labels, built when its first benchmark runs.
struct Problem {
  std::unique_ptr<NetworkBase<float>> net;
  int n;
  double macs = 0;
  Tensor<float> x;
  std::vector<std::int32_t> labels;

  Problem(std::unique_ptr<NetworkBase<float>> network, int batch) : net(std::move(network)), n(batch), macs(double(cost::table(net->graph()).total().macs)), x(n, net->input_dims()) {
    const rng::Stream random(1, Purpose::data);
    for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = float(random.uniform(i));
    for (int i = 0; i < n; ++i) labels.push_back(std::int32_t(net->classes() * random.uniform(x.size() + i)));
  }
  View<const float> images() const { return x.view(); }
  /// `passes`: of a forward's cost, what one iteration does for each image.
  void report(benchmark::State& state, double passes) const {
    using Counter = benchmark::Counter;
    state.counters["images/s"] = Counter(n, Counter::kIsIterationInvariantRate);
    state.counters["GFLOP/s"] = Counter(2e-9 * macs * passes * n, Counter::kIsIterationInvariantRate);
  }
};
using Make = Problem& (*)();

Problem& resnet20() {
  static Problem p(std::make_unique<Network<models::ResNet20<10>, Shape<3, 32, 32>>>(1), 128);
  return p;
}
Problem& resnet18() {
  static Problem p(std::make_unique<Network<models::ResNet18<10>, Shape<3, 32, 32>>>(1), 32);
  return p;
}

void inference(benchmark::State& state, Make make, int tile) {
  const Problem& p = make();
  Trace<float> trace = p.net->make_trace({.use = Use::infer, .capacity = tile ? tile : p.n, .eval_only = true});
  for (auto _ : state)
    for (int first = 0; first < p.n; first += trace.capacity())
      benchmark::DoNotOptimize(p.net->forward(trace, p.images().samples(first, std::min(trace.capacity(), p.n - first)), {}).data);
  p.report(state, 1);
}

void input_gradient(benchmark::State& state, Make make, int tile) {
  const Problem& p = make();
  attack::Workspace<float> work(*p.net, p.n, tile);
  const loss::Labels<> labels(p.labels, p.net->classes());
  for (auto _ : state) attack::input_gradient(*p.net, work.trace, p.images(), loss::CrossEntropy{.labels = labels.data()}, {}, work.gradient.view());
  p.report(state, 2);
}

/// One step of train::fit, without the reading of images.
template <class Objective>
void step(benchmark::State& state, Make make, Objective objective, double passes) {
  Problem& p = make();
  optim::Sgd<float> sgd({.momentum = 0.9, .weight_decay = 5e-4});
  train::Step<float, cpu, Objective> step(*p.net, sgd, objective, p.n);
  step.images.upload(std::span<const float>(p.x.data(), p.x.size()));
  step.labels.upload(p.labels);
  StepValues values{.eps = px(8), .step = px(2)};
  sgd.apply({.lr = 0.01}, values);
  const optim::StepState<> values_of_step(values);
  for (auto _ : state) step(p.n, values_of_step.get());
  p.report(state, passes);
}

void add(const std::string& name, Make make, bool pgd) {
  const auto one = [&](const std::string& what, auto f) { benchmark::RegisterBenchmark((name + "/" + what).c_str(), f)->UseRealTime()->Unit(benchmark::kMillisecond); };
  one("inference", [=](benchmark::State& s) { inference(s, make, 0); });
  one("inference_tile16", [=](benchmark::State& s) { inference(s, make, 16); });
  one("input_gradient", [=](benchmark::State& s) { input_gradient(s, make, 0); });
  one("input_gradient_tile16", [=](benchmark::State& s) { input_gradient(s, make, 16); });
  one("training_step", [=](benchmark::State& s) { step(s, make, train::Natural{}, 3); });
  if (pgd) one("pgd7_step", [=](benchmark::State& s) { step(s, make, train::Adversarial<>{{.steps = 7}}, 7 * 2 + 3); });
}

const bool added = (add("resnet20", resnet20, true), add("resnet18", resnet18, false), true);

}  // namespace
