// Images a second and GFLOP/s of whole networks: inference, latency of one image, input gradient,
// and the training steps of natural, PGD-7 and TRADES training.
//   OMP_NUM_THREADS=2 bench_networks --benchmark_filter=resnet20
// Counters: images and GFLOP per second of wall time; images_cpu: images per second of CPU time of
// all threads, which other programs on the machine disturb less. FLOPs are nominal: 2 per
// multiply-accumulate, twice that for an input gradient, three times for a training step.
#include <ctime>

#include "models.hpp"
#include "peak.hpp"

#include <rnx/attack.hpp>
#include <rnx/cost.hpp>
#include <rnx/train.hpp>

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

  Problem(std::unique_ptr<NetworkBase<float>> network, int batch)
      : net(std::move(network)),
        n(batch),
        macs(double(cost::table(net->graph()).total().macs)),
        x(n, net->input_dims()) {
    const rng::Stream random(1, Purpose::data);
    for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = float(random.uniform(i));
    for (int i = 0; i < n; ++i)
      labels.push_back(std::int32_t(net->classes() * random.uniform(x.size() + i)));
  }
  View<const float> images() const { return x.view(); }
  /// Runs f() as often as the benchmark wants. One iteration works on `images` images; `passes`:
  /// what it does for each, in forwards.
  template <class F> void measure(benchmark::State& state, int images, double passes, F f) const {
    using Counter = benchmark::Counter;
    f();  // first-touch of memory, weights prepared
    const std::clock_t start = std::clock();
    for (auto _ : state) f();
    const double cpu = double(std::clock() - start) / CLOCKS_PER_SEC;
    state.counters["images"] = Counter(images, Counter::kIsIterationInvariantRate);
    state.counters["GFLOP"] =
        Counter(2e-9 * macs * passes * images, Counter::kIsIterationInvariantRate);
    state.counters["images_cpu"] = double(images) * double(state.iterations()) / cpu;
  }
};

/// The problem of one model is built when its first benchmark runs, and dropped when another
/// model's runs.
Problem& problem(const MeasuredModel& model) {
  static const MeasuredModel* current = nullptr;
  static std::unique_ptr<Problem> built;
  if (current != &model) {
    built.reset();
    built = std::make_unique<Problem>(model.make(), model.batch);
    current = &model;
  }
  return *built;
}

/// Eval-mode logits of `images` images at once, and what is kept for readers.
void inference(benchmark::State& state, const MeasuredModel& model, int images,
               std::vector<Keep> keep = {}) {
  const Problem& p = problem(model);
  Trace<float> trace = p.net->make_trace(
      {.use = Use::infer, .capacity = images, .keep = std::move(keep), .eval_only = true});
  p.measure(state, images, 1, [&] {
    benchmark::DoNotOptimize(p.net->forward(trace, p.images().samples(0, images), {}).data);
  });
}

void input_gradient(benchmark::State& state, const MeasuredModel& model) {
  const Problem& p = problem(model);
  attack::Workspace<float> work(*p.net, p.n);
  const loss::Labels<> labels(p.labels, p.net->classes());
  const loss::CrossEntropy loss{.labels = labels.data()};
  p.measure(state, p.n, 2, [&] {
    attack::input_gradient(*p.net, work.trace, p.images(), loss, {}, work.gradient.view());
  });
}

/// One step of train::fit, without the reading of images.
template <class Objective>
void step(benchmark::State& state, const MeasuredModel& model, Objective objective, double passes) {
  Problem& p = problem(model);
  optim::Sgd<float> sgd({.momentum = 0.9, .weight_decay = 5e-4});
  train::Step<float, cpu> step(*p.net, sgd, objective, p.n);
  step.images().upload(std::span<const float>(p.x.data(), p.x.size()));
  step.labels().upload(p.labels);
  const optim::Rates rates{.lr = 0.01};
  step.set({}, {&rates, 1});
  p.measure(state, p.n, passes, [&] { step(p.n); });
}

void add(const MeasuredModel& model) {
  const auto one = [&](const std::string& what, auto f) {
    benchmark::RegisterBenchmark((std::string(model.name) + "/" + what).c_str(),
                                 [&model, f](benchmark::State& s) { f(s, model); })
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  };
  using State = benchmark::State;
  using Model = MeasuredModel;
  one("inference", [](State& s, const Model& m) { inference(s, m, m.batch); });
  // what a teacher keeps: its penultimate features; attention maps of every convolution
  one("inference_tap",
      [](State& s, const Model& m) { inference(s, m, m.batch, {Keep::tap<Penultimate>()}); });
  one("inference_maps", [](State& s, const Model& m) {
    inference(s, m, m.batch, {Keep::every(Kind::convolution).maps()});
  });
  one("latency", [](State& s, const Model& m) { inference(s, m, 1); });
  one("input_gradient", input_gradient);
  one("training_step", [](State& s, const Model& m) { step(s, m, train::Natural{}, 3); });
  one("pgd7_step",
      [](State& s, const Model& m) { step(s, m, train::Adversarial<>{{.steps = 7}}, 7 * 2 + 3); });
  // the logits of the clean images, ten input gradients, two forwards with their backwards
  one("trades_step",
      [](State& s, const Model& m) { step(s, m, train::Trades<>{}, 1 + 10 * 2 + 2 * 3); });
}

const bool added = [] {
  for (const MeasuredModel& model : measured_models) add(model);
  return true;
}();

}  // namespace
