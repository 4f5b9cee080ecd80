// Every operation of a device against the CPU's, over a few geometries; what lies behind active
// channels stays as it was.
#pragma once

#include "compare.hpp"

#include "rnx/layers/activation.hpp"

namespace test {

namespace op = rnx::op;
namespace geometry = rnx::geometry;

template <class Device, class T> struct Ops {
  static constexpr double tolerance = sizeof(T) == 4 ? 1e-5 : 1e-12;

  template <class Op>
  static void check(const std::string& name, Arrays& memory,
                    const typename Op::template Args<T>& args) {
    CAPTURE(name);
    CAPTURE(sizeof(T));
    CHECK(memory.template difference<Device, Op, T>(args) < tolerance);
  }
  static std::vector<T> positive(std::size_t count, std::uint64_t site) {
    std::vector<T> v = numbers<T>(count, site);
    for (T& x : v) x = T(0.25) + std::fabs(x);
    return v;
  }
  static std::vector<rnx::StepValues> values() {
    rnx::StepValues v;
    v.seed = 11;
    v.draw = 3;
    v.lr = 0.1;
    v.momentum = 0.9;
    v.eps = 8.0 / 255;
    v.step = 2.0 / 255;
    return {v};
  }
  static geometry::Map map(int n, int h, int w, int c, int extra = 0) {
    return {n, h, w, c, c + extra};
  }

  static void memory_operations(int c, int extra) {
    const geometry::Map x = map(3, 5, 4, c, extra), y = map(3, 5, 4, c, 2 * extra);
    const auto with = [&](auto f) {
      Arrays m;
      f(m, m.add(Field<T>(x, 1)), m.add(Field<T>(y, 2)), m.add(Field<T>(y, 3, true)));
    };
    with([&](Arrays& m, T* a, T*, T* to) { check<op::copy>("copy", m, {x, y, a, to}); });
    with([&](Arrays& m, T* a, T*, T* to) {
      check<op::accumulate>("accumulate", m, {x, y, a, to});
    });
    with([&](Arrays& m, T* a, T* b, T* to) { check<op::add>("add", m, {x, y, y, a, b, to}); });
    with([&](Arrays& m, T*, T*, T* to) {
      check<op::fill>("fill", m, {std::size_t(c), T(0.5), to});
    });
    with([&](Arrays& m, T*, T*, T*) {
      check<op::axpy>("axpy", m, {37, T(0.3), m.add(numbers<T>(37, 4)), m.add(numbers<T>(37, 5))});
    });
    const geometry::Map gate = map(3, 1, 1, c, extra), small = map(3, 3, 2, c + 5, extra);
    with([&](Arrays& m, T* a, T*, T* to) {
      check<op::scale_channels>("scale_channels", m, {x, gate, y, a, m.add(Field<T>(gate, 4)), to});
    });
    with([&](Arrays& m, T* a, T* dy, T*) {
      check<op::scale_channels_gate>("scale_channels_gate", m,
                                     {x, gate, a, dy, m.add(Field<T>(gate, 4, true)), y});
    });
    with([&](Arrays& m, T* a, T*, T*) {
      check<op::pad_shortcut>("pad_shortcut", m,
                              {x, small, 2, 2, a, m.add(Field<T>(small, 4, true))});
    });
    with([&](Arrays& m, T*, T*, T*) {
      check<op::pad_shortcut_backward>(
          "pad_shortcut_backward", m,
          {x, small, 2, 2, m.add(Field<T>(small, 4)), m.add(Field<T>(x, 5, true))});
    });
    with([&](Arrays& m, T* a, T*, T*) {
      check<op::attention_map>("attention_map", m, {x, a, m.add(std::vector<T>(x.rows()))});
    });
    with([&](Arrays& m, T* a, T*, T* to) {
      check<op::attention_map_backward>("attention_map_backward", m,
                                        {x, y, a, m.add(numbers<T>(x.rows(), 4)), to});
    });
  }

  template <class F> static void functor(const geometry::Map& x, const geometry::Map& y) {
    std::vector<T> wide = Field<T>(x, 1).v;
    for (T& v : wide) v *= 8;
    wide[0] = std::numeric_limits<T>::quiet_NaN();
    Arrays m;
    T* px = m.add(wide);
    check<op::pointwise_forward<F>>(F::name, m, {x, y, px, m.add(Field<T>(y, 2, true))});
    check<op::pointwise_backward<F>>(
        F::name, m, {x, y, y, px, m.add(Field<T>(y, 3)), m.add(Field<T>(y, 4, true))});
  }
  static void pointwise(int c, int extra) {
    const geometry::Map x = map(3, 5, 4, c, extra), y = map(3, 5, 4, c, 2 * extra);
    functor<rnx::functor::Relu>(x, y), functor<rnx::functor::Relu6>(x, y),
        functor<rnx::functor::HardSwish>(x, y), functor<rnx::functor::HardSigmoid>(x, y);
    Arrays m;
    std::vector<T> mask = numbers<T>(20 * c, 5);
    for (T& v : mask) v = v > 0;
    T *px = m.add(Field<T>(x, 1)), *py = m.add(Field<T>(y, 2, true)), *pm = m.add(mask);
    check<op::masked_relu_forward>("masked_relu_forward", m, {x, y, px, pm, py});
    check<op::masked_relu_backward>("masked_relu_backward", m,
                                    {x, x, y, px, pm, m.add(Field<T>(x, 3)), py});
    check<op::affine_channels>("affine_channels", m,
                               {x, y, px, m.add(numbers<T>(c, 6)), m.add(positive(c, 7)), py});
    check<op::affine_channels>("affine_channels backward", m,
                               {x, y, px, nullptr, m.add(positive(c, 7)), py});
    check<op::dropout>("dropout", m, {x, y, 0.3, 5, 2, 1000, m.add(values()), px, py});
    check<op::dropout>("dropout without values", m, {x, y, 0.3, 5, 2, 1000, nullptr, px, py});
  }

  struct Case {
    int n, cin, cout, h, w, kh, kw, stride, pad, groups, extra;
  };
  static void convolution(const Case& c, bool depthwise) {
    const int oh = rnx::window_out(c.h, c.kh, c.stride, c.pad),
              ow = rnx::window_out(c.w, c.kw, c.stride, c.pad), taps = c.kh * c.kw;
    const geometry::Conv2d g{map(c.n, c.h, c.w, c.cin, c.extra),
                             map(c.n, oh, ow, c.cout, 2 * c.extra),
                             c.kh,
                             c.kw,
                             c.stride,
                             c.pad,
                             c.pad,
                             c.groups};
    const int o = g.out(), i = g.in(), room = i + 2;  // theta has room for two more input channels
    const geometry::Weights wg{c.groups,          o,    i,    c.kh, c.kw,
                               long(room) * taps, taps, c.kw, 1,    long(o) * room * taps};
    const std::size_t forward = depthwise ? wg.count() : wg.packed_forward(),
                      backward = depthwise ? wg.count() : wg.packed_backward();
    Arrays m;
    T* theta = m.add(numbers<T>(std::size_t(c.groups) * o * room * taps, 1));
    if (depthwise) {
      check<op::pack_depthwise>("pack_depthwise", m,
                                {wg, theta, m.add(std::vector<T>(forward, T(9)))});
      check<op::unpack_depthwise_gradient>("unpack_depthwise_gradient", m,
                                           {wg, m.add(numbers<T>(wg.count(), 2)), theta});
    } else {
      check<op::pack_weights>(
          "pack_weights", m,
          {wg, theta, m.add(std::vector<T>(forward, T(9))), m.add(std::vector<T>(backward, T(9)))});
      check<op::unpack_gradient>("unpack_gradient", m,
                                 {wg, m.add(numbers<T>(wg.count(), 2)), theta});
    }
    std::vector<T> f(forward), b(backward);
    if (depthwise)
      run<op::pack_depthwise, T>({wg, theta, f.data()});
    else
      run<op::pack_weights, T>({wg, theta, f.data(), b.data()});
    Arrays p;
    T *x = p.add(Field<T>(g.x, 3)), *dy = p.add(Field<T>(g.y, 4)),
      *y = p.add(Field<T>(g.y, 5, true)), *dx = p.add(Field<T>(g.x, 6, true));
    T *pf = p.add(f), *pb = p.add(b), *bias = p.add(numbers<T>(c.cout, 7)),
      *scale = p.add(numbers<T>(c.cout, 8)), *dw = p.add(std::vector<T>(wg.count(), T(9)));
    if (depthwise) {
      check<op::depthwise_forward>("depthwise_forward", p, {g, x, pf, nullptr, nullptr, y, false});
      check<op::depthwise_forward>("depthwise_forward with all", p,
                                   {g, x, pf, bias, scale, y, true});
      check<op::depthwise_backward_input>("depthwise_backward_input", p, {g, dy, pf, dx});
      check<op::depthwise_backward_weight>("depthwise_backward_weight", p, {g, x, dy, dw});
    } else {
      check<op::conv2d_forward>("conv2d_forward", p, {g, x, pf, nullptr, nullptr, y, false});
      check<op::conv2d_forward>("conv2d_forward with bias", p, {g, x, pf, bias, nullptr, y, false});
      check<op::conv2d_forward>("conv2d_forward with scale", p, {g, x, pf, bias, scale, y, false});
      check<op::conv2d_forward>("conv2d_forward accumulating", p,
                                {g, x, pf, nullptr, scale, y, true});
      check<op::conv2d_backward_input>("conv2d_backward_input", p, {g, dy, pb, dx});
      check<op::conv2d_backward_weight>("conv2d_backward_weight", p, {g, x, dy, dw});
    }
    check<op::bias_backward>("bias_backward", p, {g.y, dy, bias});
  }
  static void convolutions() {
    for (const Case& c : {Case{8, 75, 32, 1, 1, 1, 1, 1, 0, 1, 0},
                          {128, 32, 10, 1, 1, 1, 1, 1, 0, 1, 3},
                          {3, 6, 20, 4, 5, 4, 5, 1, 0, 1, 0},
                          {3, 6, 20, 4, 5, 4, 5, 1, 0, 1, 2},
                          {3, 24, 17, 6, 5, 1, 1, 1, 0, 1, 1},
                          {2, 33, 8, 7, 7, 1, 1, 2, 0, 1, 2},
                          {2, 3, 16, 9, 7, 3, 3, 1, 1, 1, 0},
                          {2, 5, 33, 7, 9, 3, 3, 2, 1, 1, 3},
                          {2, 12, 18, 6, 7, 3, 3, 1, 1, 2, 1},
                          {2, 8, 8, 11, 10, 5, 3, 3, 2, 4, 0},
                          {1, 1, 1, 4, 4, 2, 2, 2, 0, 1, 0},
                          {3, 4, 16, 5, 5, 1, 1, 1, 2, 1, 0},
                          {17, 16, 32, 4, 4, 3, 3, 1, 1, 1, 0}})
      convolution(c, false);
    for (const Case& c : {Case{2, 5, 5, 7, 6, 3, 3, 1, 1, 5, 0},
                          {2, 24, 24, 8, 9, 3, 3, 2, 1, 24, 3},
                          {3, 33, 33, 5, 5, 5, 5, 1, 2, 33, 0}})
      convolution(c, true);
    Arrays m;
    check<op::sum_bases>(
        "sum_bases", m,
        {2, 3, 5, m.add(numbers<T>(30, 1)), m.add(numbers<T>(6, 2)), m.add(numbers<T>(15, 3))});
    check<op::sum_bases>("sum_bases without scale", m,
                         {2, 3, 5, m.add(numbers<T>(30, 1)), nullptr, m.add(numbers<T>(15, 3))});
  }

  static void batch_norm(int n, int c, int extra) {
    const geometry::Map x = map(n, 5, 4, c, extra), y = map(n, 5, 4, c, 2 * extra);
    Arrays m;
    T *px = m.add(Field<T>(x, 1)), *dy = m.add(Field<T>(y, 2)), *py = m.add(Field<T>(y, 3, true)),
      *dx = m.add(Field<T>(x, 4, true));
    T *mean = m.add(numbers<T>(c, 5)), *var = m.add(positive(c, 6)),
      *gamma = m.add(numbers<T>(c, 7)), *beta = m.add(numbers<T>(c, 8)),
      *sums = m.add(numbers<T>(2 * c, 9));
    const T eps = T(1e-5);
    check<op::batch_norm_statistics>("batch_norm_statistics", m, {x, px, mean, var});
    check<op::batch_norm_normalize>("batch_norm_normalize", m,
                                    {x, y, eps, px, mean, var, gamma, beta, py});
    check<op::batch_norm_normalize>("batch_norm_normalize plain", m,
                                    {x, y, eps, px, mean, var, nullptr, nullptr, py});
    check<op::batch_norm_reduce>("batch_norm_reduce", m, {x, y, eps, px, dy, mean, var, sums});
    check<op::batch_norm_backward>("batch_norm_backward", m,
                                   {x, y, eps, px, dy, mean, var, gamma, sums, dx});
    check<op::batch_norm_backward>("batch_norm_backward eval", m,
                                   {x, y, eps, px, dy, mean, var, gamma, nullptr, dx});
    check<op::batch_norm_update>("batch_norm_update", m,
                                 {c, T(0.1), T(1.25), mean, var, gamma, sums});
  }

  static void pooling(int kernel, int stride, int pad, int extra) {
    const int h = 7, w = 6, c = 5;
    const geometry::Map x = map(3, h, w, c, extra),
                        y = map(3, rnx::window_out(h, kernel, stride, pad),
                                rnx::window_out(w, kernel, stride, pad), c, 2 * extra),
                        dense = map(3, h, w, c);
    Field<T> field(x, 1);
    for (T& v : field.v) v = std::round(v * 4);  // equal maxima
    field.at(1, 2, 2, 1) = std::numeric_limits<T>::quiet_NaN();
    field.at(1, 3, 2, 1) = std::numeric_limits<T>::infinity();
    Arrays m;
    T *px = m.add(field), *dy = m.add(Field<T>(y, 2)), *py = m.add(Field<T>(y, 3, true)),
      *dx = m.add(Field<T>(dense, 4, true)), *wide = m.add(Field<T>(x, 5, true));
    const geometry::Pool g{x, y, kernel, stride, pad};
    check<op::max_pool_forward>("max_pool_forward", m, {g, px, py});
    check<op::max_pool_backward>("max_pool_backward", m, {g, px, dy, dx, dense});
    check<op::average_pool_forward>("average_pool_forward", m, {g, m.add(Field<T>(x, 6)), py});
    check<op::average_pool_backward>("average_pool_backward", m, {g, dy, wide});
    const geometry::Map one = map(3, 1, 1, c, extra);
    check<op::global_pool_forward>("global_pool_forward", m,
                                   {x, one, m.add(Field<T>(x, 6)), m.add(Field<T>(one, 7, true))});
    check<op::global_pool_backward>("global_pool_backward", m,
                                    {x, one, m.add(Field<T>(one, 8)), wide});
  }

  static void losses(int c, int extra) {
    const geometry::Map z = map(9, 1, 1, c, extra), t = map(9, 1, 1, c, 2 * extra);
    Field<T> logits(z, 1), teacher(t, 2);
    for (T& v : logits.v) v *= 6;
    for (T& v : teacher.v) v *= 6;
    logits.at(4, 0, 0, 0) = std::numeric_limits<T>::infinity();
    std::vector<std::int32_t> labels(9);
    for (int i = 0; i < 9; ++i) labels[i] = i == 7 ? c : i % c;  // one outside
    for (const bool add : {false, true}) {
      Arrays m;
      T *pz = m.add(logits), *pt = m.add(teacher), *value = m.add(std::vector<T>(9)),
        *dz = m.add(Field<T>(z, 3, true));
      const std::int32_t* pl = m.add(labels);
      check<op::cross_entropy>("cross_entropy", m, {z, 0, 0.5, add, pz, pl, value, dz});
      check<op::cross_entropy>("cross_entropy smoothed", m, {z, 0.1, 1, add, pz, pl, value, dz});
      check<op::cross_entropy>("cross_entropy value", m, {z, 0.1, 1, add, pz, pl, value, nullptr});
      for (const bool reverse : {false, true})
        check<op::kl_divergence>("kl_divergence", m,
                                 {z, t, 4, 0.5, reverse, add, pz, pt, value, dz});
      for (int kind = 0; kind < 4; ++kind)
        check<op::row_distance>("row_distance", m,
                                {z, t, z, kind, 0.5, add, m.add(Field<T>(z, 4)), pt, value, dz});
    }
  }

  static void optimizers(std::size_t n) {
    for (const bool first : {false, true})
      for (const bool nesterov : {false, true}) {
        Arrays m;
        const rnx::StepValues* v = m.add(values());
        const double* clip = m.add(std::vector<double>{0.4});
        T *g = m.add(numbers<T>(n, 1)), *velocity = m.add(numbers<T>(n, 2)),
          *p = m.add(numbers<T>(n, 3));
        check<op::sgd_step>("sgd_step", m,
                            {n, 0.5, 1e-3, nesterov, first, v, clip, g, velocity, p});
        check<op::sgd_step>("sgd_step without clip", m,
                            {n, 1, 0, nesterov, first, v, nullptr, g, velocity, p});
        check<op::sgd_step>("sgd_step without velocity", m,
                            {n, 1, 1e-3, false, first, v, clip, g, nullptr, p});
        check<op::sgd_step>("sgd_step without values", m,
                            {n, 1, 1e-3, nesterov, first, nullptr, clip, g, velocity, p});
      }
    Arrays m;
    T *g = m.add(numbers<T>(n, 1)), *first = m.add(numbers<T>(n, 2)),
      *second = m.add(positive(n, 3)), *p = m.add(numbers<T>(n, 4));
    double *sum = m.add(std::vector<double>{2.5}), *clip = m.add(std::vector<double>{0.4});
    check<op::adam_step>(
        "adam_step", m,
        {n, 1, 0.9, 0.999, 1e-8, 1e-3, 7, m.add(values()), clip, g, first, second, p});
    check<op::ema_step>("ema_step", m, {n, 0.99, g, p});
    check<op::square_sum>("square_sum", m, {n, g, sum});
    check<op::clip_factor>("clip_factor", m, {0.5, sum, clip});
  }

  static void attacks(int n, int c) {
    const geometry::Map x = map(n, 4, 3, c);
    Arrays m;
    const std::size_t count = x.rows() * x.stride;
    std::vector<T> clean = positive(count, 1), gradient = numbers<T>(count, 2), moved = clean;
    for (T& v : clean) v = v > 1 ? 1 : v;
    for (std::size_t i = 0; i < count; ++i) moved[i] = clean[i] + T(0.02) * gradient[i];
    gradient[3] = 0;
    gradient[count - 1] = std::numeric_limits<T>::quiet_NaN();  // of the last sample
    const rnx::StepValues* v = m.add(values());
    T *pc = m.add(clean), *pg = m.add(gradient), *pa = m.add(moved);
    for (int norm = 0; norm < 2; ++norm) {
      check<op::attack_start>("attack_start", m, {x, norm, 4, 100, v, pc, pa});
      check<op::attack_step>("attack_step", m, {x, norm, false, v, pc, pg, pa});
      check<op::attack_step>("attack_step fgsm", m, {x, norm, true, v, pc, pg, pa});
    }
  }

  static void all() {
    for (int extra : {0, 3}) {
      memory_operations(6, extra);
      pointwise(5, extra);
      losses(10, extra);
      losses(1, extra);
    }
    convolutions();
    batch_norm(4, 16, 0);
    batch_norm(130, 3, 2);
    batch_norm(1, 33, 1);
    pooling(2, 2, 0, 0);
    pooling(3, 2, 1, 2);
    pooling(3, 1, 1, 0);
    pooling(2, 3, 0, 1);
    optimizers(1);
    optimizers(1000);
    optimizers(100000);
    attacks(5, 3);
    attacks(2, 700);
  }
};

}  // namespace test
