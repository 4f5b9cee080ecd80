// Every other kernel against plain formulas, for channels with tails, active channels and threads.
#include "support.hpp"

namespace {

using namespace test;
namespace op = rnx::op;
using doctest::Approx;

struct Relu {
  template <class T> static T forward(T x) { return x < 0 ? T(0) : x; }
  template <class T> static T derivative(T y) { return y > 0 ? T(1) : T(0); }
};
const int channel_counts[] = {1, 3, 5, 16, 17, 24, 33};

/// found(n, h, w, c) within a few units of expected(n, h, w, c), nothing else written.
template <class T, class F> void expect(Field<T>& found, F expected, double bound = 16) {
  Error e;
  each(found.m, [&](int n, int h, int w, int c) { e(found.at(n, h, w, c), expected(n, h, w, c)); });
  CHECK(e.of<T>() < bound);
  CHECK(found.untouched());
}

/// Inputs with and without room behind the channels; y has the map `out`.
template <class T> struct Elementwise {
  const int c;
  const Map out;
  const Map m{3, 9, 8, c, c + 2}, dense{3, 9, 8, c, c};
  Field<T> x{m, 1}, z{dense, 2}, y{out, 3, true}, before{out, 3, true};
  Field<T> s{{3, 1, 1, c, c + 1}, 4}, ds{{3, 1, 1, c, c + 1}, 5, true};  // one value per channel

  void copies_and_sums() {
    run(op::copy<T>{.from = {m, x.data()}, .to = {out, y.data()}});
    expect(y, [&](int n, int h, int w, int k) { return x.at(n, h, w, k); });
    y = before;
    run(op::accumulate<T>{.from = {m, x.data()}, .to = {out, y.data()}});
    expect(y, [&](int n, int h, int w, int k) { return before.at(n, h, w, k) + x.at(n, h, w, k); });
    run(op::add<T>{.a = {dense, z.data()}, .b = {m, x.data()}, .y = {out, y.data()}});
    expect(y, [&](int n, int h, int w, int k) { return z.at(n, h, w, k) + x.at(n, h, w, k); });
  }

  void chosen_samples() {
    const std::int32_t rows[] = {2, 0};
    Map two = out, all = m;
    two.n = all.n = 2;
    Field<T> part(two, 8, true);
    run(op::gather_rows<T>{.from = {m, x.data()}, .to = {two, part.data()}, .rows = rows});
    expect(part, [&](int n, int h, int w, int k) { return x.at(rows[n], h, w, k); });
    y = before;
    run(op::scatter_rows<T>{.from = {all, x.data()}, .to = {out, y.data()}, .rows = rows});
    expect(y, [&](int n, int h, int w, int k) {
      return n == 1 ? before.at(n, h, w, k) : x.at(n == 2 ? 0 : 1, h, w, k);
    });
  }

  void pointwise() {
    run(op::pointwise_forward<Relu, T>{.x = {dense, z.data()}, .y = {out, y.data()}});
    expect(y, [&](int n, int h, int w, int k) { return std::fmax(z.at(n, h, w, k), 0); });
    run(op::pointwise_backward<Relu, T>{
        .v = {dense, z.data()}, .dy = {m, x.data()}, .dx = {out, y.data()}});
    expect(y,
           [&](int n, int h, int w, int k) { return z.at(n, h, w, k) > 0 ? x.at(n, h, w, k) : 0; });
  }

  void masked_relu() {
    std::vector<T> mask(72 * (c + 4));
    for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = noise(i, 9) > 0;
    run(op::masked_relu_forward<T>{.x = {m, x.data()}, .y = {out, y.data()}, .mask = mask.data()});
    expect(y, [&](int n, int h, int w, int k) {
      return mask[(k * 9 + h) * 8 + w] != 0 && x.at(n, h, w, k) < 0 ? 0 : x.at(n, h, w, k);
    });
    run(op::masked_relu_backward<T>{
        .y = {m, x.data()}, .dy = {dense, z.data()}, .dx = {out, y.data()}, .mask = mask.data()});
    expect(y, [&](int n, int h, int w, int k) {
      return mask[(k * 9 + h) * 8 + w] != 0 && x.at(n, h, w, k) <= 0 ? 0 : z.at(n, h, w, k);
    });
  }

  void affine_channels() {
    const std::vector<T> shift = numbers<T>(c, 10), divisor = numbers<T>(c, 11);
    run(op::affine_channels<T>{.x = {m, x.data()},
                               .y = {out, y.data()},
                               .shift = shift.data(),
                               .divisor = divisor.data()});
    expect(y,
           [&](int n, int h, int w, int k) { return (x.at(n, h, w, k) - shift[k]) / divisor[k]; });
    run(op::affine_channels<T>{
        .x = {m, x.data()}, .y = {out, y.data()}, .shift = nullptr, .divisor = divisor.data()});
    expect(y, [&](int n, int h, int w, int k) { return x.at(n, h, w, k) / divisor[k]; });
  }

  void dropout() {
    const rnx::StepValues values{.seed = 5, .draw = 2};
    run(op::dropout<T>{.x = {m, x.data()},
                       .y = {out, y.data()},
                       .values = &values,
                       .p = .25,
                       .draw = 3,
                       .site = 4,
                       .first_sample = 6});
    const rnx::rng::Stream stream(5, rnx::Purpose::dropout, 5, 4);
    const auto keep = [&](int n, int pixel, int k) {
      return stream.uniform(((6u + n) * 72 + pixel) * m.stride + k) >= .25;
    };
    expect(y, [&](int n, int h, int w, int k) {
      return keep(n, h * 8 + w, k) ? x.at(n, h, w, k) / .75 : 0;
    });
    const std::int32_t samples[] = {4, 9, 0};
    run(op::dropout<T>{.x = {m, x.data()},
                       .y = {out, y.data()},
                       .values = &values,
                       .p = .25,
                       .draw = 3,
                       .site = 4,
                       .first_sample = 6,
                       .samples = samples});
    expect(y, [&](int n, int h, int w, int k) {
      return keep(samples[n], h * 8 + w, k) ? x.at(n, h, w, k) / .75 : 0;
    });
  }

  /// Of f(n, h, w, k) over the pixels.
  template <class F> static double sum(int n, int k, F f) {
    double v = 0;
    for (int pixel = 0; pixel < 72; ++pixel) v += f(n, pixel / 8, pixel % 8, k);
    return v;
  }

  void scale_channels() {
    run(op::scale_channels<T>{.x = {m, x.data()}, .s = {s.m, s.data()}, .y = {out, y.data()}});
    expect(y, [&](int n, int h, int w, int k) { return x.at(n, h, w, k) * s.at(n, 0, 0, k); });
    run(op::scale_channels_gate<T>{
        .x = {m, x.data()}, .dy = {dense, z.data()}, .ds = {ds.m, ds.data()}});
    expect(
        ds,
        [&](int n, int, int, int k) {
          return sum(n, k, [&](auto... at) { return double(x.at(at...)) * z.at(at...); });
        },
        100);
  }

  void global_pool() {
    run(op::global_pool_forward<T>{.x = {m, x.data()}, .y = {ds.m, ds.data()}});
    expect(
        ds,
        [&](int n, int, int, int k) {
          return sum(n, k, [&](auto... at) { return x.at(at...); }) / 72;
        },
        100);
    run(op::global_pool_backward<T>{.dy = {s.m, s.data()}, .dx = {out, y.data()}});
    expect(y, [&](int n, int, int, int k) { return s.at(n, 0, 0, k) / 72; });
  }

  void attention_map() {
    std::vector<T> f(m.rows(), 9);
    run(op::attention_map<T>{.x = {m, x.data()}, .f = f.data()});
    double squares = 0;
    for (int k = 0; k < c; ++k) squares += double(x.at(2, 4, 3, k)) * x.at(2, 4, 3, k);
    CHECK(f[(2 * 9 + 4) * 8 + 3] == Approx(squares).epsilon(1e-5));
    y = before;
    run(op::attention_map_backward<T>{.x = {m, x.data()}, .dx = {out, y.data()}, .df = f.data()});
    expect(y, [&](int n, int h, int w, int k) {
      return before.at(n, h, w, k) + 2 * x.at(n, h, w, k) * f[(n * 9 + h) * 8 + w];
    });
  }

  void pad_shortcut() {
    const Map small{3, 5, 4, c + 3, c + 5};
    Field<T> pad(small, 6, true), dpad(small, 7);
    run(op::pad_shortcut<T>{
        .x = {m, x.data()}, .y = {small, pad.data()}, .stride = 2, .before = 1});
    expect(pad, [&](int n, int h, int w, int k) {
      return k >= 1 && k <= c ? x.at(n, 2 * h, 2 * w, k - 1) : 0;
    });
    run(op::pad_shortcut_backward<T>{
        .dy = {small, dpad.data()}, .dx = {out, y.data()}, .stride = 2, .before = 1});
    expect(y, [&](int n, int h, int w, int k) {
      return h % 2 || w % 2 ? 0 : dpad.at(n, h / 2, w / 2, k + 1);
    });
  }
};

template <class T> void elementwise(int c) {
  CAPTURE(c);
  for (int extra : {0, 2}) {
    Elementwise<T> e{c, {3, 9, 8, c, c + extra}};
    e.copies_and_sums();
    e.chosen_samples();
    e.pointwise();
    e.masked_relu();
    e.affine_channels();
    e.dropout();
    e.scale_channels();
    e.global_pool();
    e.attention_map();
    e.pad_shortcut();
  }
}

/// Maps with a large mean, what the operations write, and the same by plain sums.
template <class T> struct BatchNorm {
  const int c;
  const Map m{5, 9, 7, c, c + 2}, dense{5, 9, 7, c, c};
  const T eps = T(1e-5);
  Field<T> x{m, 1}, dy{dense, 2}, y{dense, 3, true}, dx{m, 3, true};
  std::vector<T> mean, var, gamma, beta, sums, db, running;
  const double count = double(m.rows());
  std::vector<double> mu, v, s0, s1;  // mean and variance of x, sums of dy and of dy * hat

  explicit BatchNorm(int c)
      : c(c),
        mean(c),
        var(c),
        gamma(numbers<T>(c, 4)),
        beta(numbers<T>(c, 5)),
        sums(2 * c),
        db(c, 1),
        running(2 * c, 1),
        mu(c),
        v(c),
        s0(c),
        s1(c) {
    for (T& value : x.v) value = 3 * value + 100;
    each(m, [&](int n, int h, int w, int k) { mu[k] += x.at(n, h, w, k) / count; });
    each(m, [&](int n, int h, int w, int k) {
      v[k] += (x.at(n, h, w, k) - mu[k]) * (x.at(n, h, w, k) - mu[k]) / count;
    });
    each(m, [&](int n, int h, int w, int k) {
      s0[k] += dy.at(n, h, w, k);
      s1[k] += dy.at(n, h, w, k) * hat(n, h, w, k);
    });
  }
  /// The normalized x.
  double hat(int n, int h, int w, int k) {
    return (x.at(n, h, w, k) - mu[k]) / std::sqrt(v[k] + 1e-5);
  }

  void statistics() {
    run(op::batch_norm_statistics<T>{.x = {m, x.data()}, .mean = mean.data(), .var = var.data()});
  }
  void normalize() {
    run(op::batch_norm_normalize<T>{.x = {m, x.data()},
                                    .y = {dense, y.data()},
                                    .mean = mean.data(),
                                    .var = var.data(),
                                    .gamma = gamma.data(),
                                    .beta = beta.data(),
                                    .eps = eps});
  }
  void reduce() {
    run(op::batch_norm_reduce<T>{.x = {m, x.data()},
                                 .dy = {dense, dy.data()},
                                 .mean = mean.data(),
                                 .var = var.data(),
                                 .sums = sums.data(),
                                 .eps = eps});
  }
  /// In evaluation there are no sums, and x is not read.
  void backward(const T* from, const T* its_sums) {
    run(op::batch_norm_backward<T>{.x = {m, from},
                                   .dy = {dense, dy.data()},
                                   .dx = {m, dx.data()},
                                   .mean = mean.data(),
                                   .var = var.data(),
                                   .gamma = gamma.data(),
                                   .sums = its_sums,
                                   .eps = eps});
  }
  void update() {
    run(op::batch_norm_update<T>{.c = c,
                                 .weight = T(.1),
                                 .correction = T(2),
                                 .mean = mean.data(),
                                 .var = var.data(),
                                 .running_mean = running.data(),
                                 .running_var = running.data() + c});
  }

  void check_sums() {
    Error e;
    for (int k = 0; k < c; ++k) {
      e(mean[k], mu[k]);
      e(var[k], v[k]);
      e(sums[k], s0[k]);
      e(sums[c + k], s1[k]);
      e(db[k], 1 + s0[k]);
      e(running[k], .9 + .1 * mu[k]);
      e(running[c + k], .9 + .2 * v[k]);
    }
    CHECK(e.of<T>() < 200);  // the plain sums are no better
  }
  void check_output() {
    expect(
        y, [&](int n, int h, int w, int k) { return hat(n, h, w, k) * gamma[k] + beta[k]; }, 500);
  }
  void check_gradient() {
    expect(
        dx,
        [&](int n, int h, int w, int k) {
          return gamma[k] / std::sqrt(v[k] + 1e-5) *
                 (dy.at(n, h, w, k) - s0[k] / count - hat(n, h, w, k) * s1[k] / count);
        },
        500);
  }
  void check_gradient_in_evaluation() {
    expect(dx, [&](int n, int h, int w, int k) {
      return gamma[k] / std::sqrt(v[k] + 1e-5) * dy.at(n, h, w, k);
    });
  }
  void check_threads() {
    CHECK(same_for_threads([&] {
      statistics();
      reduce();
      std::vector<T> all = mean;
      all.insert(all.end(), var.begin(), var.end());
      all.insert(all.end(), sums.begin(), sums.end());
      return all;
    }));
  }
};

template <class T> void batch_norm(int c) {
  CAPTURE(c);
  BatchNorm<T> b(c);
  b.statistics();
  b.normalize();
  b.reduce();
  b.backward(b.x.data(), b.sums.data());
  run(op::bias_backward<T>{.dy = {b.dense, b.dy.data()}, .db = b.db.data()});
  b.update();
  b.check_sums();
  b.check_output();
  b.check_gradient();
  b.backward(nullptr, nullptr);
  b.check_gradient_in_evaluation();
  b.check_threads();
}

template <class T> void pooling(int c, int kernel, int stride, int pad) {
  CAPTURE(c);
  CAPTURE(kernel);
  const int h = rnx::window_out(7, kernel, stride, pad),
            w = rnx::window_out(8, kernel, stride, pad);
  const rnx::geometry::Pool g({2, 7, 8, c, c + 1}, {2, h, w, c, c}, {kernel, stride, pad});
  Field<T> x(g.x, 1), dy(g.y, 2), y(g.y, 3, true), dx(g.x, 3, true), average(g.y, 3, true),
      average_dx(g.x, 3, true);
  for (T& v : x.v) v = std::round(4 * v);  // many equal maxima
  run(op::max_pool_forward<T>{.x = {g.x, x.data()}, .y = {g.y, y.data()}, .window = g});
  run(op::max_pool_backward<T>{
      .x = {g.x, x.data()}, .dy = {g.y, dy.data()}, .dx = {g.x, dx.data()}, .window = g});
  run(op::average_pool_forward<T>{.x = {g.x, x.data()}, .y = {g.y, average.data()}, .window = g});
  run(op::average_pool_backward<T>{
      .dy = {g.y, dy.data()}, .dx = {g.x, average_dx.data()}, .window = g});
  Field<double> top({2, h, w, c, c}, 0), mean = top, d({2, 7, 8, c, c}, 0),
                                         dmean({2, 7, 8, c, c}, 0);
  d.v.assign(d.v.size(), 0);
  dmean.v = d.v;
  each(g.y, [&](int n, int oh, int ow, int k) {
    double best = -1e9, sum = 0;
    int bh = 0, bw = 0;
    for (int i = oh * stride - pad; i < oh * stride - pad + kernel; ++i)
      for (int j = ow * stride - pad; j < ow * stride - pad + kernel; ++j) {
        if (i < 0 || j < 0 || i >= 7 || j >= 8) continue;
        if (x.at(n, i, j, k) > best) {
          best = x.at(n, i, j, k);
          bh = i;
          bw = j;
        }
        sum += x.at(n, i, j, k);
        dmean.at(n, i, j, k) += double(dy.at(n, oh, ow, k)) / (kernel * kernel);
      }
    top.at(n, oh, ow, k) = best;
    mean.at(n, oh, ow, k) = sum / (kernel * kernel);
    d.at(n, bh, bw, k) += dy.at(n, oh, ow, k);
  });
  expect(y, [&](auto... at) { return top.at(at...); });
  expect(average, [&](auto... at) { return mean.at(at...); });
  expect(dx, [&](auto... at) { return d.at(at...); });
  expect(average_dx, [&](auto... at) { return dmean.at(at...); });
}

}  // namespace

TEST_CASE("elementwise operations") {
  for (int c : channel_counts) elementwise<float>(c), elementwise<double>(c);
}
TEST_CASE("batch normalisation") {
  for (int c : channel_counts) batch_norm<float>(c), batch_norm<double>(c);
}
TEST_CASE("pooling") {
  for (int c : channel_counts)
    pooling<float>(c, 2, 2, 0), pooling<double>(c, 3, 2, 1), pooling<float>(c, 3, 1, 1);
}
