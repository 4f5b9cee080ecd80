// Convolution kernels over the papers' layer shapes, as a share of the processor's peak of fused
// multiply-adds, measured in the same process. of_peak: share in wall time; of_peak_cpu: share in
// the CPU time that was used, which other programs on the machine disturb less. FLOPs are those of
// the direct sum: 2 for each product of a weight and a pixel, padding counted.
//   OMP_NUM_THREADS=1 bench_kernels --benchmark_filter=forward
#include <ctime>
#include <memory>

#include "peak.hpp"

#include <rnx/kernels.hpp>
#include <rnx/tensor/tensor.hpp>

namespace {

using namespace rnx;

/// n samples of in channels and size x size pixels to `out` channels; depthwise: in == out kernels
/// of one channel each.
struct Layer {
  const char* name;
  int n, in, out, size, kernel = 3, stride = 1;
  bool depthwise = false;
};
const Layer layers[] = {
    // ResNet-20 .. 110
    {"3_16_32x32", 128, 3, 16, 32},
    {"16_32x32", 128, 16, 16, 32},
    {"16_32_32x32_s2", 128, 16, 32, 32, 3, 2},
    {"32_16x16", 128, 32, 32, 16},
    {"32_64_16x16_s2", 128, 32, 64, 16, 3, 2},
    {"64_8x8", 128, 64, 64, 8},
    // ResNet-18, 34, VGG
    {"3_64_32x32", 64, 3, 64, 32},
    {"64_32x32", 64, 64, 64, 32},
    {"64_128_32x32_s2", 64, 64, 128, 32, 3, 2},
    {"128_16x16", 64, 128, 128, 16},
    {"128_256_16x16_s2", 64, 128, 256, 16, 3, 2},
    {"256_8x8", 64, 256, 256, 8},
    {"256_512_8x8_s2", 64, 256, 512, 8, 3, 2},
    {"512_4x4", 64, 512, 512, 4},
    {"512_2x2", 64, 512, 512, 2},
    {"1x1_64_128_32x32_s2", 64, 64, 128, 32, 1, 2},
    {"1x1_128_256_16x16_s2", 64, 128, 256, 16, 1, 2},
    {"1x1_256_512_8x8_s2", 64, 256, 512, 8, 1, 2},
    // WRN-22-8
    {"16_128_32x32", 32, 16, 128, 32},
    {"128_32x32", 32, 128, 128, 32},
    {"256_16x16", 32, 256, 256, 16},
    {"512_8x8", 32, 512, 512, 8},
    // ResNet-50's bottlenecks
    {"1x1_256_64_32x32", 32, 256, 64, 32, 1},
    {"1x1_64_256_32x32", 32, 64, 256, 32, 1},
    {"1x1_2048_512_4x4", 32, 2048, 512, 4, 1},
    // inverted residuals of MobileNetV3
    {"1x1_16_64_32x32", 64, 16, 64, 32, 1},
    {"1x1_240_40_8x8", 64, 240, 40, 8, 1},
    {"depthwise3_64_32x32_s2", 64, 64, 64, 32, 3, 2, true},
    {"depthwise3_72_16x16", 64, 72, 72, 16, 3, 1, true},
    {"depthwise5_96_16x16_s2", 64, 96, 96, 16, 5, 2, true},
    {"depthwise5_240_8x8", 64, 240, 240, 8, 5, 1, true},
    {"depthwise7_240_8x8", 64, 240, 240, 8, 7, 1, true},
    // linear layers
    {"linear_64_10", 128, 64, 10, 1, 1},
    {"linear_512_512", 128, 512, 512, 1, 1},
    {"linear_4096_4096", 64, 4096, 4096, 1, 1},
};

struct Problem {
  const Layer& layer;
  geometry::Conv2d g;
  bool winograd_forward = false, winograd_backward = false;
  Buffer<float> x, y, theta, forward, backward, dw;

  explicit Problem(const Layer& l)
      : layer(l),
        g(shape(l)),
        x(random(g.x.rows() * l.in, 1)),
        y(random(g.y.rows() * l.out, 2)),
        theta(random(std::size_t(l.kernel) * l.kernel * g.in() * l.out, 3)),
        dw(theta.size()) {
    const long k = l.kernel, row = k * k * g.in();
    const geometry::Weights w{
        g.groups, l.out / g.groups,        g.in(), l.kernel, l.kernel, row, k * k, k,
        1,        row * (l.out / g.groups)};
    if (l.depthwise) {
      forward = Buffer<float>(theta.size());
      run<cpu>({}, op::pack_depthwise<float>{w, theta.data(), forward.data()});
    } else {
      // the algorithms that layers choose
      const bool candidate = RNX_WINOGRAD && l.kernel == 3 && l.stride == 1;
      winograd_forward = candidate && geometry::winograd_wins(l.in, l.out, l.size, l.size);
      winograd_backward = candidate && geometry::winograd_wins(l.out, l.in, l.size, l.size);
      forward =
          Buffer<float>(winograd_forward ? w.packed_winograd(l.in, l.out) : w.packed_forward());
      backward =
          Buffer<float>(winograd_backward ? w.packed_winograd(l.out, l.in) : w.packed_backward());
      run<cpu>({}, op::pack_weights<float>{.g = w,
                                           .theta = theta.data(),
                                           .forward = forward.data(),
                                           .backward = backward.data(),
                                           .winograd_forward = winograd_forward,
                                           .winograd_backward = winograd_backward});
    }
  }
  static geometry::Conv2d shape(const Layer& l) {
    const int out_size = (l.size + l.stride - 1) / l.stride;
    return {{l.n, l.size, l.size, l.in, l.in},
            {l.n, out_size, out_size, l.out, l.out},
            {.kh = l.kernel,
             .kw = l.kernel,
             .stride = l.stride,
             .pad_h = l.kernel / 2,
             .pad_w = l.kernel / 2,
             .groups = l.depthwise ? l.in : 1}};
  }
  static Buffer<float> random(std::size_t count, std::uint64_t site) {
    Buffer<float> b(count);
    const rng::Stream stream(1, Purpose::data, 0, site);
    for (std::size_t i = 0; i < count; ++i) b.data()[i] = float(stream.uniform(i) - 0.5);
    return b;
  }
  geometry::Filter with(bool winograd) const {
    geometry::Filter own = g;
    own.winograd = winograd;
    return own;
  }
  op::Map<float> from() { return {g.x, x.data()}; }
  op::Map<float> to() { return {g.y, y.data()}; }
  double flops() const { return 2.0 * double(g.y.rows()) * g.y.c * g.in() * g.kh * g.kw; }
};

void forward(Problem& p) {
  if (p.layer.depthwise)
    run<cpu>({}, op::depthwise_forward<float>{
                     .x = p.from(), .w = p.forward.data(), .y = p.to(), .filter = p.g});
  else
    run<cpu>({}, op::conv2d_forward<float>{.x = p.from(),
                                           .w = p.forward.data(),
                                           .y = p.to(),
                                           .filter = p.with(p.winograd_forward)});
}
void backward_input(Problem& p) {
  if (p.layer.depthwise)
    run<cpu>({}, op::depthwise_backward_input<float>{
                     .dy = p.to(), .w = p.forward.data(), .dx = p.from(), .filter = p.g});
  else
    run<cpu>({}, op::conv2d_backward_input<float>{.dy = p.to(),
                                                  .w = p.backward.data(),
                                                  .dx = p.from(),
                                                  .filter = p.with(p.winograd_backward)});
}
void backward_weight(Problem& p) {
  if (p.layer.depthwise)
    run<cpu>({}, op::depthwise_backward_weight<float>{
                     .x = p.from(), .dy = p.to(), .dw = p.dw.data(), .filter = p.g});
  else
    run<cpu>({}, op::conv2d_backward_weight<float>{
                     .x = p.from(), .dy = p.to(), .dw = p.dw.data(), .filter = p.g});
}

void measure(benchmark::State& state, const Layer& layer, void (*f)(Problem&)) {
  static const double peak = fma_peak(1000);
  Problem p(layer);
  f(p);
  const auto start = std::chrono::steady_clock::now();
  const std::clock_t cpu_start = std::clock();
  for (auto _ : state) {
    f(p);
    benchmark::ClobberMemory();
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double cpu = double(std::clock() - cpu_start) / CLOCKS_PER_SEC,
               gflop = 1e-9 * p.flops() * double(state.iterations());
  state.counters["GFLOP_per_s"] = gflop / seconds;
  state.counters["of_peak"] = gflop / seconds / peak;
  state.counters["of_peak_cpu"] = gflop / cpu / (peak / host::threads());
}

const bool added = [] {
  benchmark::RegisterBenchmark("fma_peak",
                               [](benchmark::State& state) {
                                 double best = 0;
                                 for (auto _ : state) best = std::max(best, fma_peak(100));
                                 state.counters["GFLOP_per_s"] = best;
                               })
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
  const std::pair<const char*, void (*)(Problem&)> kernels[] = {
      {"forward", forward},
      {"backward_input", backward_input},
      {"backward_weight", backward_weight}};
  for (const auto& [name, f] : kernels)
    for (const Layer& layer : layers)
      benchmark::RegisterBenchmark((std::string(name) + "/" + layer.name).c_str(),
                                   [&layer, f = f](benchmark::State& s) { measure(s, layer, f); })
          ->UseRealTime()
          ->Unit(benchmark::kMillisecond);
  return true;
}();

}  // namespace
