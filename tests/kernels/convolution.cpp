// Convolutions against plain loops: odd channels, strides, pads, groups, active channels, threads,
// batch independence.
#include "support.hpp"

namespace {

using namespace test;
namespace op = rnx::op;

struct Case {
  int n, cin, cout, h, w, kh, kw, stride, pad, groups, extra;
};
const Case cases[] = {
    {2, 3, 16, 9, 7, 3, 3, 1, 1, 1, 0},   {2, 16, 17, 8, 8, 3, 3, 1, 1, 1, 0},
    {2, 5, 33, 7, 9, 3, 3, 2, 1, 1, 3},   {3, 24, 24, 6, 5, 1, 1, 1, 0, 1, 0},
    {2, 33, 8, 7, 7, 1, 1, 2, 0, 1, 2},   {5, 16, 10, 1, 1, 1, 1, 1, 0, 1, 0},
    {70, 37, 40, 1, 1, 1, 1, 1, 0, 1, 0}, {3, 6, 20, 4, 5, 4, 5, 1, 0, 1, 0},
    {2, 12, 18, 6, 7, 3, 3, 1, 1, 2, 1},  {2, 8, 8, 11, 10, 5, 3, 3, 2, 4, 0},
    {1, 3, 24, 15, 14, 7, 7, 2, 3, 1, 0}, {2, 4, 5, 5, 6, 3, 3, 1, 0, 1, 0},
    {2, 1, 1, 4, 4, 2, 2, 2, 0, 1, 0},    {3, 4, 16, 5, 5, 1, 1, 1, 2, 1, 0},
    {17, 16, 32, 4, 4, 3, 3, 1, 1, 1, 0}, {2, 16, 48, 34, 33, 3, 3, 1, 1, 1, 0},
};

template <class T> struct Problem {
  rnx::geometry::Conv2d g;
  bool depthwise;
  Field<T> x, dy;
  rnx::geometry::Weights wg;
  std::vector<T> theta, forward, backward;
  static rnx::geometry::Conv2d geometry(const Case& c) {
    const int h = rnx::window_out(c.h, c.kh, c.stride, c.pad),
              w = rnx::window_out(c.w, c.kw, c.stride, c.pad);
    return {{c.n, c.h, c.w, c.cin, c.cin + c.extra},
            {c.n, h, w, c.cout, c.cout + 2 * c.extra},
            {.kh = c.kh,
             .kw = c.kw,
             .stride = c.stride,
             .pad_h = c.pad,
             .pad_w = c.pad,
             .groups = c.groups}};
  }
  Problem(const Case& c, bool dw) : g(geometry(c)), depthwise(dw), x(g.x, 1), dy(g.y, 2) {
    const int o = g.out(), i = g.in(), taps = c.kh * c.kw,
              maximum = i + 2;  // theta has room for two more input channels
    wg = {
        c.groups, o, i, c.kh, c.kw, long(maximum) * taps, taps, c.kw, 1, long(o) * maximum * taps};
    theta = numbers<T>(std::size_t(c.groups) * o * maximum * taps, 3);
    forward.assign(dw ? wg.count() : wg.packed_forward(), T(9));
    backward.assign(dw ? 0 : wg.packed_backward(), T(9));
    if (dw)
      run(op::pack_depthwise<T>{wg, theta.data(), forward.data()});
    else
      run(op::pack_weights<T>{
          .g = wg, .theta = theta.data(), .forward = forward.data(), .backward = backward.data()});
  }
  std::size_t at(int o, int i, int kh, int kw) const {  // in theta; o: of all groups, i: of one
    return o / wg.o * wg.sg + o % wg.o * wg.so + i * wg.si + kh * wg.sh + kw * wg.sw;
  }
  Field<T> apply(const T* bias, const T* scale, bool accumulate, int first = 0, int n = -1) {
    auto own = g;
    if (n > 0) own.x.n = own.y.n = n;
    Field<T> y(own.y, 4, true);
    const T* from = x.data() + first * g.x.sample();
    if (depthwise)
      run(op::depthwise_forward<T>{.x = {own.x, from},
                                   .w = forward.data(),
                                   .bias = bias,
                                   .scale = scale,
                                   .y = {own.y, y.data()},
                                   .filter = g,
                                   .accumulate = accumulate});
    else
      run(op::conv2d_forward<T>{.x = {own.x, from},
                                .w = forward.data(),
                                .bias = bias,
                                .scale = scale,
                                .y = {own.y, y.data()},
                                .filter = g,
                                .accumulate = accumulate});
    return y;
  }
  Field<T> input_gradient(int first = 0, int n = -1) {
    auto own = g;
    if (n > 0) own.x.n = own.y.n = n;
    Field<T> dx(own.x, 5, true);
    const T* from = dy.data() + first * g.y.sample();
    if (depthwise)
      run(op::depthwise_backward_input<T>{
          .dy = {own.y, from}, .w = forward.data(), .dx = {own.x, dx.data()}, .filter = g});
    else
      run(op::conv2d_backward_input<T>{
          .dy = {own.y, from}, .w = backward.data(), .dx = {own.x, dx.data()}, .filter = g});
    return dx;
  }
  std::vector<T> weight_gradient() {
    std::vector<T> dw(wg.count(), T(9)), dtheta(theta.size(), T(1));
    if (depthwise)
      run(op::depthwise_backward_weight<T>{
          .x = {g.x, x.data()}, .dy = {g.y, dy.data()}, .dw = dw.data(), .filter = g});
    else
      run(op::conv2d_backward_weight<T>{
          .x = {g.x, x.data()}, .dy = {g.y, dy.data()}, .dw = dw.data(), .filter = g});
    if (depthwise)
      run(op::unpack_depthwise_gradient<T>{wg, dw.data(), dtheta.data()});
    else
      run(op::unpack_gradient<T>{wg, dw.data(), dtheta.data()});
    return dtheta;
  }
};

/// The output, and the gradients by their definition.
struct Expected {
  Field<double> y, dx;
  std::vector<double> dtheta;
};

/// By plain loops over every (output, tap).
template <class T> Expected expected(Problem<T>& p, const Case& c) {
  const auto& g = p.g;
  Expected e{Field<double>({g.y.n, g.y.h, g.y.w, g.y.c, g.y.c}, 0),
             Field<double>({g.x.n, g.x.h, g.x.w, g.x.c, g.x.c}, 0),
             std::vector<double>(p.theta.size(), 1)};
  e.y.v.assign(e.y.v.size(), 0);
  e.dx.v.assign(e.dx.v.size(), 0);
  each(g.y, [&](int n, int h, int w, int o) {
    for (int kh = 0; kh < c.kh; ++kh)
      for (int kw = 0; kw < c.kw; ++kw)
        for (int i = 0; i < g.in(); ++i) {
          const int ih = h * c.stride - c.pad + kh, iw = w * c.stride - c.pad + kw,
                    ci = o / g.out() * g.in() + i;
          if (ih < 0 || iw < 0 || ih >= c.h || iw >= c.w) continue;
          e.y.at(n, h, w, o) += p.x.get(n, ih, iw, ci) * double(p.theta[p.at(o, i, kh, kw)]);
          e.dx.at(n, ih, iw, ci) += p.dy.get(n, h, w, o) * double(p.theta[p.at(o, i, kh, kw)]);
          e.dtheta[p.at(o, i, kh, kw)] += p.x.get(n, ih, iw, ci) * p.dy.get(n, h, w, o);
        }
  });
  return e;
}

template <class T>
void check_against_plain_loops(Problem<T>& p, const Case& c, Field<T>& y, Field<T>& dx) {
  const double bound = 200;
  Expected e = expected(p, c);
  const std::vector<T> dtheta = p.weight_gradient();
  Error ey, ex, ew;
  each(p.g.y, [&](int n, int h, int w, int k) { ey(y.at(n, h, w, k), e.y.at(n, h, w, k)); });
  each(p.g.x, [&](int n, int h, int w, int k) { ex(dx.at(n, h, w, k), e.dx.at(n, h, w, k)); });
  for (std::size_t i = 0; i < dtheta.size(); ++i) ew(dtheta[i], e.dtheta[i]);
  CHECK(ey.of<T>() < bound);
  CHECK(ex.of<T>() < bound);
  CHECK(ew.of<T>() < bound);
  CHECK(y.untouched());
  CHECK(dx.untouched());
}

/// The epilogue rounds product, scaling and additions one by one. `y` is the output without it.
template <class T> void check_epilogue(Problem<T>& p, Field<T>& y) {
  const auto& g = p.g;
  const std::vector<T> bias = numbers<T>(g.y.c, 6), scale = numbers<T>(g.y.c, 7);
  Field<T> all = p.apply(bias.data(), scale.data(), true), before(g.y, 4, true);
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
  CHECK(same_for_threads([&] { return p.apply(nullptr, nullptr, false).v; }));
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
  CHECK(same(p.apply(nullptr, nullptr, false, last, 1).v, tail(y, p.g.y.sample())));
  CHECK(same(p.input_gradient(last, 1).v, tail(dx, p.g.x.sample())));
}

template <class T> void check(const Case& c, bool depthwise) {
  const std::string where = std::to_string(c.kh) + "x" + std::to_string(c.kw) + ": " +
                            std::to_string(c.cin) + " to " + std::to_string(c.cout);
  CAPTURE(where);
  CAPTURE(sizeof(T));
  Problem<T> p(c, depthwise);
  Field<T> y = p.apply(nullptr, nullptr, false), dx = p.input_gradient();
  check_against_plain_loops(p, c, y, dx);
  check_epilogue(p, y);
  check_threads(p);
  check_sample_alone(p, y.v, dx.v);
}

}  // namespace

TEST_CASE("convolution") {
  for (const Case& c : cases) check<float>(c, false), check<double>(c, false);
}

TEST_CASE("depthwise convolution") {
  for (const Case& c : {Case{2, 5, 5, 7, 6, 3, 3, 1, 1, 5, 0},
                        {2, 24, 24, 8, 9, 3, 3, 2, 1, 24, 3},
                        {3, 33, 33, 5, 5, 5, 5, 1, 2, 33, 0},
                        {2, 16, 16, 6, 6, 3, 2, 1, 0, 16, 0},
                        {1, 1, 1, 4, 4, 1, 1, 2, 0, 1, 0},
                        {2, 17, 17, 3, 3, 7, 7, 2, 3, 17, 1}})
    check<float>(c, true), check<double>(c, true);
}

TEST_CASE("sum of bases") {
  const auto base = numbers<double>(2 * 3 * 5, 1), scale = numbers<double>(2 * 3, 2);
  std::vector<double> y(15, 9);
  run(op::sum_bases<double>{
      .bases = 2, .rows = 3, .row = 5, .base = base.data(), .scale = scale.data(), .y = y.data()});
  for (int r = 0; r < 3; ++r)
    for (int i = 0; i < 5; ++i)
      CHECK(y[r * 5 + i] ==
            doctest::Approx(scale[r] * base[r * 5 + i] + scale[3 + r] * base[15 + r * 5 + i]));
}
