// Convolutions of signs as a share of the processor's peak of xor, popcount and addition, and
// against the convolution of as many floats. Rounds take turns; shares and ratios are the smallest
// of five.
//   OMP_NUM_THREADS=2 bench_binary
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <vector>

#include <rnx/kernels.hpp>
#include <rnx/quant.hpp>

namespace {

using namespace rnx;
using clock_type = std::chrono::steady_clock;

/// The shortest of `times` calls: other programs on the machine disturb it least.
double seconds_of(const std::function<void()>& f, int times) {
  double best = 1e9;
  for (int i = 0; i < times; ++i) {
    const auto start = clock_type::now();
    f();
    best = std::min(best, std::chrono::duration<double>(clock_type::now() - start).count());
  }
  return best;
}

/// Keeps a value in a register and from being computed ahead.
template <class V> inline void opaque(V& v) { asm volatile("" : "+x"(v)); }

/// Billions of bits that one thread xors, counts and adds in a second, all in registers.
[[gnu::noinline]] double popcount_rate(long count) {
  constexpr int F = host::PopcountSum::forms;
  host::PopcountSum sums[4];
  host::Words x[4][F] = {}, w[F] = {};
  for (auto& forms : x)
    for (host::Words& v : forms) opaque(v);
  const auto start = clock_type::now();
  for (long i = 0; i < count; ++i) {
#pragma GCC unroll 2
    for (int f = 0; f < F; ++f) opaque(w[f]);
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) sums[k].add(x[k], w);
  }
  for (host::PopcountSum& s : sums) opaque(s.sum);
  return 1e-9 * double(count) * 4 * host::popcount_lanes * 32 /
         std::chrono::duration<double>(clock_type::now() - start).count();
}
/// The best of many short measurements of each thread, all threads at once, summed.
double popcount_peak() {
  double sum_of_best = 0;
#pragma omp parallel reduction(+ : sum_of_best)
  {
    double best = 0;
    for (int trial = 0; trial < 300; ++trial) best = std::max(best, popcount_rate(20'000));
    sum_of_best = best;
  }
  return sum_of_best;
}

struct Layer {
  int n, in, out, size, kernel = 3, stride = 1;
};

/// One convolution of random signs, with bits and with floats.
struct Problem {
  Layer l;
  geometry::Map x, y;
  bool winograd;
  std::vector<float> values, theta, packed, sums;
  geometry::BitMap map;
  geometry::BitWeights weights;
  std::vector<std::uint32_t> bits, words;

  explicit Problem(const Layer& layer)
      : l(layer),
        x{l.n, l.size, l.size, l.in, l.in},
        y{l.n, l.size / l.stride, l.size / l.stride, l.out, l.out},
        winograd(l.kernel == 3 && l.stride == 1 && geometry::winograd_wins(l.in, l.out, y.h, y.w)),
        values(x.n * x.sample()),
        theta(std::size_t(l.out) * l.in * l.kernel * l.kernel),
        sums(y.n * y.sample()),
        map{x, l.kernel / 2, 1},
        weights{1, l.out, l.in, l.kernel, l.kernel},
        bits(l.n * map.sample_words()),
        words(weights.words()) {
    const rng::Stream random(1, Purpose::data);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = float(random.uniform(i) - 0.5);
    for (std::size_t i = 0; i < theta.size(); ++i)
      theta[i] = random.uniform(values.size() + i) < 0.5 ? -1 : 1;
    const long k = l.kernel;
    const geometry::Weights g{1, l.out, l.in, l.kernel, l.kernel, l.in * k * k, k * k, k, 1, 0};
    packed.resize(winograd ? g.packed_winograd(l.in, l.out) : g.packed_forward());
    run<cpu>({}, op::pack_weights<float>{.g = g,
                                         .theta = theta.data(),
                                         .forward = packed.data(),
                                         .backward = nullptr,
                                         .winograd_forward = winograd});
    run<cpu>({}, op::pack_binary<float>{.g = weights, .base = theta.data(), .words = words.data()});
    binarize();
  }
  void binarize() {
    run<cpu>({},
             op::binarize<quant::SignActivation, float>{
                 .x = {x, values.data()}, .parameters = nullptr, .to = map, .bits = bits.data()});
  }
  void binary() {
    run<cpu>(
        {},
        op::binary_convolution<float>{
            .in = {.x = map, .bits = bits.data(), .weights = words.data()},
            .y = {y, sums.data()},
            .filter = {.kh = l.kernel, .kw = l.kernel, .stride = l.stride, .winograd = winograd}});
  }
  void floats() {
    run<cpu>({}, op::conv2d_forward<float>{.x = {x, values.data()},
                                           .w = packed.data(),
                                           .y = {y, sums.data()},
                                           .filter = {.kh = l.kernel,
                                                      .kw = l.kernel,
                                                      .stride = l.stride,
                                                      .pad_h = l.kernel / 2,
                                                      .pad_w = l.kernel / 2,
                                                      .winograd = winograd}});
  }
  /// Products of signs.
  double products() const { return double(y.rows()) * l.out * l.in * l.kernel * l.kernel; }
};

void measure(const Layer& l) {
  Problem p(l);
  const auto binary = [&] { p.binary(); };
  const auto floats = [&] { p.floats(); };
  const auto binarize = [&] { p.binarize(); };
  const int times = std::max(1, int(0.1 / seconds_of(floats, 2)));
  double share = 1e9, with_binarize = 1e9, ratio = 1e9;
  for (int round = 0; round < 5; ++round) {
    const double f = seconds_of(floats, times), b = seconds_of(binary, 4 * times),
                 s = seconds_of(binarize, 4 * times), peak = popcount_peak();
    share = std::min(share, 1e-9 * p.products() / b / peak);
    with_binarize = std::min(with_binarize, 1e-9 * p.products() / (b + s) / peak);
    ratio = std::min(ratio, f / (b + s));
  }
  std::printf("| %dx%d, %d to %d, %dx%d, stride %d | %.0f %% | %.0f %% | %.2f |\n", l.kernel,
              l.kernel, l.in, l.out, l.size, l.size, l.stride, 100 * share, 100 * with_binarize,
              ratio);
  std::fflush(stdout);
}

}  // namespace

int main() {
  std::printf("%s, %d threads, peak %.0f billions of bits a second\n\n", instruction_set(),
              host::threads(), popcount_peak());
  std::printf(
      "| convolution | of peak | with binarisation | times as fast as floats |\n"
      "|---|---|---|---|\n");
  // as many samples as a tile of inference has: maps stay in a core's second-level cache
  for (const Layer& l : {Layer{8, 16, 16, 32}, Layer{8, 16, 32, 32, 3, 2}, Layer{8, 32, 32, 16},
                         Layer{16, 64, 64, 8}, Layer{2, 64, 64, 32}, Layer{2, 64, 128, 32, 1, 2},
                         Layer{2, 64, 128, 32, 3, 2}, Layer{4, 128, 128, 16}, Layer{8, 256, 256, 8},
                         Layer{16, 512, 512, 4}})
    measure(l);
}
