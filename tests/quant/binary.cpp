// Convolutions of signs by xor and popcount have the bits of the sums of floats: over sizes,
// strides, windows, batches and bases, signed zeros and NaN.
#include "kernels/support.hpp"
#include "rnx/quant.hpp"

namespace {

using namespace rnx;
using geometry::Map;

struct Case {
  int in, out, kernel, stride, pad, n, size;
};

/// y and the batch statistics behind it, of one convolution with M x N bases.
template <class T> struct Result { std::vector<T> y, mean, var; };

template <class T> struct Convolved {
  Case c;
  int weight_bases, activation_bases;
  Map x, y;
  std::vector<T> values, base, scale, bias;
  bool winograd;

  Convolved(const Case& with, int m, int n)
      : c(with),
        weight_bases(m),
        activation_bases(n),
        x{c.n, c.size, c.size, c.in, c.in + 3},
        y{c.n, out_size(), out_size(), c.out, c.out + 2},
        values(test::numbers<T>(x.rows() * x.stride, 1)),
        base(test::numbers<T>(std::size_t(m) * c.out * row(), 2)),
        scale(test::numbers<T>(std::size_t(m) * n * c.out, 3)),
        bias(test::numbers<T>(c.out, 4)),
        winograd(c.kernel == 3 && c.stride == 1 && geometry::winograd_wins(c.in, c.out, y.h, y.w)) {
    for (T& v : base) v = quant::sign(v);
    values[0] = 0, values[1] = T(-0.0);
  }
  int out_size() const { return (c.size + 2 * c.pad - c.kernel) / c.stride + 1; }
  std::size_t row() const { return std::size_t(c.in) * c.kernel * c.kernel; }
  geometry::Filter filter() const {
    return {.kh = c.kernel, .kw = c.kernel, .stride = c.stride, .winograd = winograd};
  }
  const T* scales() const { return weight_bases * activation_bases > 1 ? scale.data() : nullptr; }

  /// The last operation, with the sums over its values that training takes.
  Result<T> result(op::fused<T> last) const {
    Result<T> r{std::vector<T>(y.rows() * y.stride, T(7)), std::vector<T>(c.out),
                std::vector<T>(c.out)};
    last.y = {y, r.y.data()};
    last.bias = bias.data();
    last.filter = filter();
    last.tail.mean_out = r.mean.data();
    last.tail.var_out = r.var.data();
    return run_before(std::move(r), last);
  }
  template <class A> Result<T> binary(const T* parameters) const {
    const geometry::BitMap map{x, c.pad, activation_bases};
    const geometry::BitWeights g{weight_bases, c.out, c.in, c.kernel, c.kernel};
    std::vector<std::uint32_t> bits(c.n * map.sample_words()), words(g.words());
    test::run(op::pack_binary<T>{.g = g, .base = base.data(), .words = words.data()});
    test::run(op::binarize<A, T>{
        .x = {x, values.data()}, .parameters = parameters, .to = map, .bits = bits.data()});
    return result({.source = op::FusedSource::binary,
                   .binary = {.x = map,
                              .bits = bits.data(),
                              .weights = words.data(),
                              .weight_bases = weight_bases},
                   .scale = scales()});
  }
  template <class A> Result<T> simulated(const T* parameters) const {
    const Map wide = geometry::padded(x, c.pad);
    const std::size_t count = wide.n * wide.sample();
    std::vector<T> maps(activation_bases * count);
    test::run(op::activation_bases<A, T>{.x = {x, values.data()},
                                         .parameters = parameters,
                                         .bases = maps.data(),
                                         .sum = nullptr,
                                         .pad = c.pad});
    const long k = c.kernel * c.kernel;
    const geometry::Weights g{1, c.out, c.in, c.kernel, c.kernel, c.in * k, k, c.kernel, 1, 0};
    std::vector<std::vector<T>> packed(weight_bases);
    before_.clear();
    for (int m = 0; m < weight_bases; ++m) {
      packed[m].resize(winograd ? g.packed_winograd(c.in, c.out) : g.packed_forward());
      test::run(op::pack_weights<T>{.g = g,
                                    .theta = base.data() + m * g.count(),
                                    .forward = packed[m].data(),
                                    .backward = nullptr,
                                    .winograd_forward = winograd});
      for (int n = 0; n < activation_bases; ++n)
        before_.push_back(
            {.source = op::FusedSource::forward,
             .x = {wide, maps.data() + n * count},
             .w = packed[m].data(),
             .scale = scales() ? scales() + (m * activation_bases + n) * c.out : nullptr,
             .accumulate = m + n > 0});
    }
    const op::fused<T> last = before_.back();
    before_.pop_back();
    const Result<T> found = result(last);
    before_.clear();
    return found;
  }

 private:
  Result<T> run_before(Result<T> r, const op::fused<T>& last) const {
    for (const op::fused<T>& a : before_)
      test::run(op::conv2d_forward<T>{.x = a.x,
                                      .w = a.w,
                                      .scale = a.scale,
                                      .y = {y, r.y.data()},
                                      .filter = filter(),
                                      .accumulate = a.accumulate});
    test::run(last);
    return r;
  }
  mutable std::vector<op::fused<T>> before_;
};

/// Bits, where they are numbers.
template <class T> bool equal(const std::vector<T>& a, const std::vector<T>& b) {
  for (std::size_t i = 0; i < a.size(); ++i)
    if (std::isnan(a[i]) != std::isnan(b[i]) ||
        (!std::isnan(a[i]) && std::memcmp(&a[i], &b[i], sizeof(T)) != 0))
      return false;
  return a.size() == b.size();
}
template <class T> bool equal(const Result<T>& a, const Result<T>& b) {
  return equal(a.y, b.y) && equal(a.mean, b.mean) && equal(a.var, b.var);
}

const std::vector<Case> cases{
    {1, 17, 3, 1, 1, 2, 9},   {3, 16, 3, 1, 1, 3, 8},   {16, 16, 3, 1, 1, 5, 8},
    {17, 33, 5, 1, 2, 2, 7},  {63, 16, 3, 2, 1, 2, 8},  {64, 64, 3, 1, 1, 3, 8},
    {65, 17, 3, 1, 0, 1, 7},  {64, 32, 1, 2, 0, 4, 8},  {256, 40, 3, 1, 1, 1, 5},
    {32, 20, 7, 2, 3, 2, 11}, {130, 48, 1, 1, 0, 2, 4}, {16, 3, 3, 1, 1, 2, 9},
    {48, 1, 3, 1, 1, 2, 8},   {96, 16, 5, 3, 0, 1, 10}, {512, 16, 3, 1, 1, 1, 4}};

template <class T, class A> void every_case(int m, int n) {
  const std::vector<T> parameters{T(0.6), T(0.3), T(-0.2), T(0.3)};
  for (const Case& c : cases) {
    CAPTURE(c.in);
    CAPTURE(c.out);
    CAPTURE(c.kernel);
    const Convolved<T> with(c, m, n);
    CHECK(equal(with.template binary<A>(parameters.data()),
                with.template simulated<A>(parameters.data())));
  }
}

}  // namespace

TEST_CASE("a convolution of signs by popcount has the bits of the sum of floats") {
  every_case<float, quant::SignActivation>(1, 1);
  every_case<float, quant::SignActivation>(3, 1);
  every_case<float, quant::MultiBitActivation<2>>(2, 2);
  every_case<double, quant::MultiBitActivation<2>>(1, 2);
}

TEST_CASE(
    "NaN reaches the outputs of a convolution of signs that it reaches in the sum of floats") {
  const std::vector<float> parameters{0.6f, 0.3f, -0.2f, 0.3f};
  for (const Case& c : {cases[2], cases[4], cases[12]}) {
    Convolved<float> with(c, 2, 2);
    with.values[(c.size + 3) * with.x.stride + 1] = NAN;
    const auto of_values = with.binary<quant::MultiBitActivation<2>>(parameters.data());
    CHECK(equal(of_values, with.simulated<quant::MultiBitActivation<2>>(parameters.data())));
    const auto is_nan = [](float v) { return std::isnan(v); };
    const auto count = std::ranges::count_if(of_values.y, is_nan);
    CHECK(count > 0);
    CHECK(count < long(of_values.y.size() / 2));
    with.values[(c.size + 3) * with.x.stride + 1] = 1;
    with.base[3] = NAN;
    const auto of_weights = with.binary<quant::MultiBitActivation<2>>(parameters.data());
    CHECK(equal(of_weights, with.simulated<quant::MultiBitActivation<2>>(parameters.data())));
    CHECK(std::isnan(of_weights.y[0]));
  }
  // a shift that is NaN, and infinite values
  Convolved<float> with(cases[2], 1, 2);
  with.values[5] = INFINITY;
  const std::vector<float> infinite{0.6f, 0.3f, -INFINITY, 0.3f}, none{0.6f, 0.3f, NAN, 0.3f};
  for (const std::vector<float>& shifts : {infinite, none})
    CHECK(equal(with.binary<quant::MultiBitActivation<2>>(shifts.data()),
                with.simulated<quant::MultiBitActivation<2>>(shifts.data())));
}
