// Images a second and GFLOP/s of whole networks: inference, input gradient, training step, PGD-7 training step.
//   OMP_NUM_THREADS=2 bench_networks --benchmark_filter=resnet20
// Counters: images and GFLOP per second of wall time; images_cpu: images per second of CPU time of all threads, which other
// programs on the machine disturb less. FLOPs are nominal: 2 per multiply-accumulate, twice that for an input gradient, three times for
// a training step.
#include <ctime>

#include "peak.hpp"

#include <rnx/rnx.hpp>

namespace {

using namespace rnx;

void peak(benchmark::State& state) {
  double best = 0;
  for (auto _ : state) best = std::max(best, fma_peak(100));
  state.counters["GFLOP_per_s"] = best;
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
  /// Runs f() as often as the benchmark wants. `passes`: what one iteration does for each image, in forwards.
  template <class F>
  void measure(benchmark::State& state, double passes, F f) const {
    using Counter = benchmark::Counter;
    f();  // first-touch of memory, weights prepared
    const std::clock_t start = std::clock();
    for (auto _ : state) f();
    const double cpu = double(std::clock() - start) / CLOCKS_PER_SEC;
    state.counters["images"] = Counter(n, Counter::kIsIterationInvariantRate);
    state.counters["GFLOP"] = Counter(2e-9 * macs * passes * n, Counter::kIsIterationInvariantRate);
    state.counters["images_cpu"] = double(n) * double(state.iterations()) / cpu;
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
  p.measure(state, 1, [&] {
    for (int first = 0; first < p.n; first += trace.capacity())
      benchmark::DoNotOptimize(p.net->forward(trace, p.images().samples(first, std::min(trace.capacity(), p.n - first)), {}).data);
  });
}

void input_gradient(benchmark::State& state, Make make, int tile) {
  const Problem& p = make();
  attack::Workspace<float> work(*p.net, p.n, tile);
  const loss::Labels<> labels(p.labels, p.net->classes());
  const loss::CrossEntropy loss{.labels = labels.data()};
  p.measure(state, 2, [&] { attack::input_gradient(*p.net, work.trace, p.images(), loss, {}, work.gradient.view()); });
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
  p.measure(state, passes, [&] { step(p.n, values_of_step.get()); });
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
