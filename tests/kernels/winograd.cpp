// Winograd's F(2x2, 3x3) against plain loops in double: odd maps and channels, pads, active
// channels, threads, batch independence; packed forms.
#include "support.hpp"

#include "rnx/kernels/cpu/convolution/winograd_weight.hpp"

namespace {

using namespace test;
namespace op = rnx::op;
namespace host = rnx::host;

struct Case {
  int n, cin, cout, h, w, pad, extra;
};
const Case cases[] = {
    {2, 16, 16, 8, 8, 1, 0},    {3, 16, 32, 9, 7, 1, 0},   {2, 5, 33, 7, 9, 1, 3},
    {1, 33, 17, 5, 4, 0, 1},    {2, 1, 1, 3, 3, 0, 0},     {2, 24, 40, 6, 5, 2, 2},
    {5, 64, 64, 4, 4, 1, 0},    {2, 20, 48, 34, 33, 1, 0}, {1, 7, 3, 1, 1, 1, 0},
    {2, 3, 6, 2, 1, 1, 5},      {70, 4, 8, 2, 2, 1, 0},    {1, 130, 97, 3, 6, 1, 0},
    {2, 48, 100, 12, 13, 0, 0},
};

/// Root of the summed squared differences, over that of the values.
struct NormError {
  double difference = 0, size = 1e-300;
  void operator()(double found, double expected) {
    difference += (found - expected) * (found - expected);
    size += expected * expected;
  }
  double value() const { return std::sqrt(difference / size); }
};

template <class T> struct Problem {
  rnx::geometry::Conv2d g;
  Field<T> x, dy;
  rnx::geometry::Weights wg;
  std::vector<T> theta, forward, backward;

  Problem(const Case& c)
      : g{{c.n, c.h, c.w, c.cin, c.cin + c.extra},
          {c.n, c.h + 2 * c.pad - 2, c.w + 2 * c.pad - 2, c.cout, c.cout + 2 * c.extra},
          {.kh = 3, .kw = 3, .pad_h = c.pad, .pad_w = c.pad}},
        x(g.x, 1),
        dy(g.y, 2) {
    wg = {1, c.cout, c.cin, 3, 3, long(c.cin + 2) * 9,
          9, 3,      1,     0};  // theta has room for two more input channels
    theta = numbers<T>(std::size_t(c.cout) * wg.so, 3);
    const auto round = [](int v) { return (v + 15) / 16 * 16; };
    forward.assign(std::size_t(16) * c.cin * round(c.cout), T(9));
    backward.assign(std::size_t(16) * c.cout * round(c.cin), T(9));
    host::pack_winograd(wg, theta.data(), forward.data(), c.cin, wg.si, c.cout, wg.so, false);
    host::pack_winograd(wg, theta.data(), backward.data(), c.cout, wg.so, c.cin, wg.si, true);
  }
  double weight(int o, int i, int kh, int kw) const {
    return theta[o * wg.so + i * wg.si + kh * 3 + kw];
  }
  Field<T> apply(int first = 0, int n = -1, host::Epilogue<T> epilogue = {}) {
    auto own = g;
    if (n > 0) own.x.n = own.y.n = n;
    Field<T> y(own.y, 4, true);
    host::winograd<T>({own.x, own.y, host::row_axis(own, false), host::column_axis(own, false), 1,
                       x.data() + first * g.x.sample(), forward.data(), y.data(), epilogue});
    return y;
  }
  Field<T> input_gradient(int first = 0, int n = -1) {
    auto own = g;
    if (n > 0) own.x.n = own.y.n = n;
    Field<T> dx(own.x, 5, true);
    host::winograd<T>({own.y,
                       own.x,
                       host::row_axis(own, true),
                       host::column_axis(own, true),
                       1,
                       dy.data() + first * g.y.sample(),
                       backward.data(),
                       dx.data(),
                       {}});
    return dx;
  }
  std::vector<T> weight_gradient() {
    std::vector<T> dw(wg.count(), T(9));
    host::winograd_weight_gradient(g, x.data(), dy.data(), dw.data());
    return dw;
  }
};

template <class T> constexpr double bound = sizeof(T) == 4 ? 2e-6 : 4e-15;

template <class T> void check_output(Problem<T>& p, const Case& c, Field<T>& y) {
  NormError error;
  each(p.g.y, [&](int n, int h, int w, int o) {
    double sum = 0;
    for (int kh = 0; kh < 3; ++kh)
      for (int kw = 0; kw < 3; ++kw)
        for (int i = 0; i < c.cin; ++i)
          sum += p.x.get(n, h - c.pad + kh, w - c.pad + kw, i) * p.weight(o, i, kh, kw);
    error(y.at(n, h, w, o), sum);
  });
  CHECK(error.value() < bound<T>);
  CHECK(y.untouched());
}

template <class T> void check_input_gradient(Problem<T>& p, const Case& c, Field<T>& dx) {
  NormError error;
  each(p.g.x, [&](int n, int h, int w, int i) {
    double sum = 0;
    for (int kh = 0; kh < 3; ++kh)
      for (int kw = 0; kw < 3; ++kw)
        for (int o = 0; o < c.cout; ++o)
          sum += p.dy.get(n, h + c.pad - kh, w + c.pad - kw, o) * p.weight(o, i, kh, kw);
    error(dx.at(n, h, w, i), sum);
  });
  CHECK(error.value() < bound<T>);
  CHECK(dx.untouched());
}

template <class T> void check_weight_gradient(Problem<T>& p, const Case& c) {
  const auto& g = p.g;
  NormError error;
  const std::vector<T> dw = p.weight_gradient();
  for (int kh = 0; kh < 3; ++kh)
    for (int kw = 0; kw < 3; ++kw)
      for (int i = 0; i < c.cin; ++i)
        for (int o = 0; o < c.cout; ++o) {
          double sum = 0;
          for (int n = 0; n < g.y.n; ++n)
            for (int h = 0; h < g.y.h; ++h)
              for (int w = 0; w < g.y.w; ++w)
                sum += p.x.get(n, h - c.pad + kh, w - c.pad + kw, i) * p.dy.get(n, h, w, o);
          error(dw[((kh * 3l + kw) * c.cin + i) * c.cout + o], sum);
        }
  CHECK(error.value() < bound<T>);
}

/// The epilogue rounds product, scaling and additions one by one. `y` is the output without it.
template <class T> void check_epilogue(Problem<T>& p, Field<T>& y) {
  const auto& g = p.g;
  const std::vector<T> bias = numbers<T>(g.y.c, 6), scale = numbers<T>(g.y.c, 7);
  Field<T> all = p.apply(0, -1, {bias.data(), scale.data(), true}), before(g.y, 4, true);
  bool exact = true;
  each(g.y, [&](int n, int h, int w, int k) {
    volatile T v = y.at(n, h, w, k) * scale[k];
    v = before.at(n, h, w, k) + v;
    v = v + bias[k];
    exact = exact && v == all.at(n, h, w, k);
  });
  CHECK(exact);
  CHECK(all.untouched());
}

template <class T> void check_threads(Problem<T>& p) {
  CHECK(same_for_threads([&] { return p.apply().v; }));
  CHECK(same_for_threads([&] { return p.input_gradient().v; }));
  CHECK(same_for_threads([&] { return p.weight_gradient(); }));
}

/// The last sample alone as in the batch, whose output and input gradient are given.
template <class T>
void check_sample_alone(Problem<T>& p, const std::vector<T>& y, const std::vector<T>& dx) {
  const int last = p.g.x.n - 1;
  const auto tail = [&](const std::vector<T>& v, std::size_t sample) {
    return std::vector<T>(v.begin() + last * sample, v.end());
  };
  CHECK(same(p.apply(last, 1).v, tail(y, p.g.y.sample())));
  CHECK(same(p.input_gradient(last, 1).v, tail(dx, p.g.x.sample())));
}

template <class T> void check(const Case& c) {
  const std::string where = std::to_string(c.cin) + " to " + std::to_string(c.cout) + " at " +
                            std::to_string(c.h) + "x" + std::to_string(c.w);
  CAPTURE(where);
  CAPTURE(sizeof(T));
  Problem<T> p(c);
  Field<T> y = p.apply(), dx = p.input_gradient();
  check_output(p, c, y);
  check_input_gradient(p, c, dx);
  check_weight_gradient(p, c);
  check_epilogue(p, y);
  check_threads(p);
  check_sample_alone(p, y.v, dx.v);
}

}  // namespace

TEST_CASE("Winograd convolution and its gradients") {
  for (const Case& c : cases) check<float>(c), check<double>(c);
}
