// Images a second and GFLOP/s of whole networks: inference, latency of one image, input gradient,
// and the training steps of natural, PGD-7 and TRADES training.
//   OMP_NUM_THREADS=2 bench_networks --benchmark_filter=resnet20
// Counters: images and GFLOP per second of wall time; images_cpu: images per second of CPU time of
// all threads, which other programs on the machine disturb less. FLOPs: GFLOP counts nominally, 2
// per multiply-accumulate of the direct sum, in each forward, input gradient and weight gradient;
// GFLOP_executed counts what Winograd's F(2x2, 3x3) leaves of it, and its transforms.
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

/// How often one iteration takes each image forward, back to the input, and back to the weights.
struct Counts {
  double forwards = 0, input_gradients = 0, weight_gradients = 0;
};

/// FLOPs of one image. executed: of F(2x2, 3x3) where the kernels take it
/// (geometry::winograd_wins): 16 products for 4 outputs, 32 additions for each tile of an input
/// channel and 24 for each of an output channel.
struct Flops {
  double nominal = 0, forward = 0, input_gradient = 0, weight_gradient = 0;

  explicit Flops(const Graph& graph) : nominal(2 * double(cost::table(graph).total().macs)) {
    forward = input_gradient = weight_gradient = nominal;
    for (const Node& n : graph.nodes) {
      const bool shape = RNX_WINOGRAD && n.kind == Kind::convolution && n.kernel_h == 3 &&
                         n.kernel_w == 3 && n.stride == 1 && n.groups == 1;
      if (!shape) continue;
      const auto saved = [&](int in, int out, const Dims& d) {
        if (!geometry::winograd_wins(in, out, d.h, d.w)) return 0.;
        const double tiles = double((d.h + 1) / 2) * ((d.w + 1) / 2);
        return 18. * in * out * d.h * d.w - tiles * (32. * in * out + 32. * in + 24. * out);
      };
      forward -= saved(n.in.c, n.out.c, n.out);
      input_gradient -= saved(n.out.c, n.in.c, n.in);
      weight_gradient -= saved(n.in.c, n.out.c, n.out);
    }
  }
  double executed(const Counts& c) const {
    return c.forwards * forward + c.input_gradients * input_gradient +
           c.weight_gradients * weight_gradient;
  }
  double direct(const Counts& c) const {
    return nominal * (c.forwards + c.input_gradients + c.weight_gradients);
  }
};

/// A network, random images and labels, built when its first benchmark runs.
struct Problem {
  std::unique_ptr<NetworkBase<float>> net;
  int n;
  Flops flops;
  Tensor<float> x;
  std::vector<std::int32_t> labels;

  Problem(std::unique_ptr<NetworkBase<float>> network, int batch)
      : net(std::move(network)),
        n(batch),
        flops(net->graph()),
        x(n, net->input_dims()) {
    const rng::Stream random(1, Purpose::data);
    for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = float(random.uniform(i));
    for (int i = 0; i < n; ++i)
      labels.push_back(std::int32_t(net->classes() * random.uniform(x.size() + i)));
  }
  View<const float> images() const { return x.view(); }
  /// Runs f() as often as the benchmark wants. One iteration works on `images` images.
  template <class F>
  void measure(benchmark::State& state, int images, const Counts& counts, F f) const {
    using Counter = benchmark::Counter;
    f();  // first-touch of memory, weights prepared
    const std::clock_t start = std::clock();
    for (auto _ : state) f();
    const double cpu = double(std::clock() - start) / CLOCKS_PER_SEC;
    state.counters["images"] = Counter(images, Counter::kIsIterationInvariantRate);
    state.counters["GFLOP"] =
        Counter(1e-9 * flops.direct(counts) * images, Counter::kIsIterationInvariantRate);
    state.counters["GFLOP_executed"] =
        Counter(1e-9 * flops.executed(counts) * images, Counter::kIsIterationInvariantRate);
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
  p.measure(state, images, {.forwards = 1}, [&] {
    benchmark::DoNotOptimize(p.net->forward(trace, p.images().samples(0, images), {}).data);
  });
}

void input_gradient(benchmark::State& state, const MeasuredModel& model) {
  const Problem& p = problem(model);
  attack::Workspace<float> work(*p.net, p.n);
  const loss::Labels<> labels(p.labels, p.net->classes());
  const loss::CrossEntropy loss{.labels = labels.data()};
  p.measure(state, p.n, {.forwards = 1, .input_gradients = 1}, [&] {
    attack::input_gradient(*p.net, work.trace, p.images(), loss, {}, work.gradient.view());
  });
}

/// One step of train::fit, without the reading of images.
template <class Objective>
void step(benchmark::State& state, const MeasuredModel& model, Objective objective,
          const Counts& counts) {
  Problem& p = problem(model);
  optim::Sgd<float> sgd({.momentum = 0.9, .weight_decay = 5e-4});
  train::Step<float, cpu> step(*p.net, sgd, objective, p.n);
  step.images().upload(std::span<const float>(p.x.data(), p.x.size()));
  step.labels().upload(p.labels);
  const optim::Rates rates{.lr = 0.01};
  step.set({}, {&rates, 1});
  p.measure(state, p.n, counts, [&] { step(p.n); });
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
  one("training_step", [](State& s, const Model& m) {
    step(s, m, train::Natural{}, {.forwards = 1, .input_gradients = 1, .weight_gradients = 1});
  });
  one("pgd7_step", [](State& s, const Model& m) {
    step(s, m, train::Adversarial<>{{.steps = 7}},
         {.forwards = 8, .input_gradients = 8, .weight_gradients = 1});
  });
  // the logits of the clean images, ten input gradients, two forwards with their backwards
  one("trades_step", [](State& s, const Model& m) {
    step(s, m, train::Trades<>{}, {.forwards = 13, .input_gradients = 12, .weight_gradients = 2});
  });
}

const bool added = [] {
  for (const MeasuredModel& model : measured_models) add(model);
  return true;
}();

}  // namespace
