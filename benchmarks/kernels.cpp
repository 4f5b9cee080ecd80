// Convolution kernels as a share of the processor's peak of fused multiply-adds, measured in the same process.
// of_peak: share in wall time; of_peak_cpu: share in the CPU time that was used, which other programs on the machine disturb less.
//   OMP_NUM_THREADS=1 bench_kernels --benchmark_filter=forward
#include <ctime>

#include "peak.hpp"

#include <rnx/kernels.hpp>
#include <rnx/tensor/tensor.hpp>

namespace {

using namespace rnx;

struct Layer { const char* name; int n, in, out, size, stride; };
const Layer layers[] = {
    {"stem_3_16_32x32", 128, 3, 16, 32, 1}, {"16_32x32", 128, 16, 16, 32, 1}, {"32_16x16", 128, 32, 32, 16, 1}, {"64_8x8", 128, 64, 64, 8, 1}, {"16_32_stride2", 128, 16, 32, 32, 2},
    {"stem_3_64_32x32", 32, 3, 64, 32, 1}, {"64_32x32", 32, 64, 64, 32, 1}, {"128_16x16", 32, 128, 128, 16, 1}, {"256_8x8", 32, 256, 256, 8, 1}, {"512_4x4", 32, 512, 512, 4, 1},
};

struct Problem {
  geometry::Conv2d g;
  Buffer<float> x, y, theta, forward, backward, dw;

  explicit Problem(const Layer& l)
      : g{{l.n, l.size, l.size, l.in, l.in}, {l.n, l.size / l.stride, l.size / l.stride, l.out, l.out}, 3, 3, l.stride, 1, 1, 1}, x(random(g.x.rows() * l.in, 1)), y(random(g.y.rows() * l.out, 2)),
        theta(random(std::size_t(9) * l.in * l.out, 3)), dw(theta.size()) {
    const geometry::Weights w{1, l.out, l.in, 3, 3, 9l * l.in, 9, 3, 1, 0};
    forward = Buffer<float>(w.packed_forward()), backward = Buffer<float>(w.packed_backward());
    run<op::pack_weights, cpu, float>({}, {w, theta.data(), forward.data(), backward.data()});
  }
  static Buffer<float> random(std::size_t count, std::uint64_t site) {
    Buffer<float> b(count);
    const rng::Stream stream(1, Purpose::data, 0, site);
    for (std::size_t i = 0; i < count; ++i) b.data()[i] = float(stream.uniform(i) - 0.5);
    return b;
  }
  double flops() const { return 2.0 * g.y.rows() * g.out() * g.in() * g.kh * g.kw; }
};

template <class F>
void measure(benchmark::State& state, const Layer& layer, F f) {
  static const double peak = fma_peak(1000);
  Problem p(layer);
  f(p);
  const auto start = std::chrono::steady_clock::now();
  const std::clock_t cpu_start = std::clock();
  for (auto _ : state) {
    f(p);
    benchmark::ClobberMemory();
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double cpu = double(std::clock() - cpu_start) / CLOCKS_PER_SEC, gflop = 1e-9 * p.flops() * double(state.iterations());
  state.counters["GFLOP_per_s"] = gflop / seconds;
  state.counters["of_peak"] = gflop / seconds / peak;
  state.counters["of_peak_cpu"] = gflop / cpu / (peak / host::threads());
}

void forward(Problem& p) { run<op::conv2d_forward, cpu, float>({}, {p.g, p.x.data(), p.forward.data(), nullptr, nullptr, p.y.data(), false}); }
void backward_input(Problem& p) { run<op::conv2d_backward_input, cpu, float>({}, {p.g, p.y.data(), p.backward.data(), p.x.data()}); }
void backward_weight(Problem& p) { run<op::conv2d_backward_weight, cpu, float>({}, {p.g, p.x.data(), p.y.data(), p.dw.data()}); }

bool add() {
  benchmark::RegisterBenchmark("fma_peak", [](benchmark::State& state) {
    double best = 0;
    for (auto _ : state) best = std::max(best, fma_peak(100));
    state.counters["GFLOP_per_s"] = best;
  })->UseRealTime()->Unit(benchmark::kMillisecond);
  const std::pair<const char*, void (*)(Problem&)> kernels[] = {{"forward", forward}, {"backward_input", backward_input}, {"backward_weight", backward_weight}};
  for (const auto& [name, f] : kernels)
    for (const Layer& layer : layers)
      benchmark::RegisterBenchmark((std::string(name) + "/" + layer.name).c_str(), [&layer, f = f](benchmark::State& s) { measure(s, layer, f); })->UseRealTime()->Unit(benchmark::kMillisecond);
  return true;
}
const bool added = add();

}  // namespace
