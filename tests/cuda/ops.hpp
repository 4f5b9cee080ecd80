// Every operation of a device against the CPU's, over a few geometries; what lies behind active
// channels stays as it was.
#pragma once

#include "compare.hpp"

#include "rnx/attack/carlini_wagner_row.hpp"
#include "rnx/attack/cpu.hpp"
#include "rnx/attack/deep_fool_row.hpp"
#include "rnx/attack/square_row.hpp"
#include "rnx/attack/victim_row.hpp"
#include "rnx/kernels/cpu/row.hpp"
#include "rnx/layers/activation.hpp"
#include "rnx/loss/cpu.hpp"
#include "rnx/optim/cpu.hpp"

namespace test {

namespace op = rnx::op;
namespace geometry = rnx::geometry;

template <class Device, class T> struct Ops {
  static constexpr double tolerance = sizeof(T) == 4 ? 1e-5 : 1e-12;

  template <class Operation>
  static void check(const std::string& name, Arrays& memory, const Operation& args) {
    CAPTURE(name);
    CAPTURE(sizeof(T));
    CHECK(memory.template difference<Device>(args) < tolerance);
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
  static std::vector<std::int32_t> chosen(std::vector<std::int32_t> samples) { return samples; }
  static geometry::Map map(int n, int h, int w, int c, int extra = 0) {
    return {n, h, w, c, c + extra};
  }

  static void memory_operations(int c, int extra) {
    const geometry::Map x = map(3, 5, 4, c, extra), y = map(3, 5, 4, c, 2 * extra);
    const auto with = [&](auto f) {
      Arrays m;
      f(m, m.add(Field<T>(x, 1)), m.add(Field<T>(y, 2)), m.add(Field<T>(y, 3, true)));
    };
    with([&](Arrays& m, T* a, T*, T* to) {
      check("copy", m, op::copy<T>{.from = {x, a}, .to = {y, to}});
    });
    with([&](Arrays& m, T* a, T*, T* to) {
      check("accumulate", m, op::accumulate<T>{.from = {x, a}, .to = {y, to}});
    });
    with([&](Arrays& m, T* a, T* b, T* to) {
      check("add", m, op::add<T>{.a = {x, a}, .b = {y, b}, .y = {y, to}});
    });
    with([&](Arrays& m, T*, T*, T* to) {
      check("fill", m, op::fill<T>{std::size_t(c), T(0.5), to});
    });
    with([&](Arrays& m, T*, T*, T*) {
      check("axpy", m,
            op::axpy<T>{.count = 37,
                        .alpha = T(0.3),
                        .x = m.add(numbers<T>(37, 4)),
                        .y = m.add(numbers<T>(37, 5))});
    });
    const geometry::Map gate = map(3, 1, 1, c, extra), small = map(3, 3, 2, c + 5, extra);
    with([&](Arrays& m, T* a, T*, T* to) {
      check(
          "scale_channels", m,
          op::scale_channels<T>{.x = {x, a}, .s = {gate, m.add(Field<T>(gate, 4))}, .y = {y, to}});
    });
    with([&](Arrays& m, T* a, T* dy, T*) {
      check("scale_channels_gate", m,
            op::scale_channels_gate<T>{
                .x = {x, a}, .dy = {y, dy}, .ds = {gate, m.add(Field<T>(gate, 4, true))}});
    });
    with([&](Arrays& m, T* a, T*, T*) {
      check("pad_shortcut", m,
            op::pad_shortcut<T>{.x = {x, a},
                                .y = {small, m.add(Field<T>(small, 4, true))},
                                .stride = 2,
                                .before = 2});
    });
    with([&](Arrays& m, T*, T*, T*) {
      check("pad_shortcut_backward", m,
            op::pad_shortcut_backward<T>{.dy = {small, m.add(Field<T>(small, 4))},
                                         .dx = {x, m.add(Field<T>(x, 5, true))},
                                         .stride = 2,
                                         .before = 2});
    });
    with([&](Arrays& m, T* a, T*, T*) {
      check("attention_map", m,
            op::attention_map<T>{.x = {x, a}, .f = m.add(std::vector<T>(x.rows()))});
    });
    with([&](Arrays& m, T* a, T*, T* to) {
      check("attention_map_backward", m,
            op::attention_map_backward<T>{
                .x = {x, a}, .dx = {y, to}, .df = m.add(numbers<T>(x.rows(), 4))});
    });
  }

  template <class F> static void functor(const geometry::Map& x, const geometry::Map& y) {
    std::vector<T> wide = Field<T>(x, 1).v;
    for (T& v : wide) v *= 8;
    wide[0] = std::numeric_limits<T>::quiet_NaN();
    Arrays m;
    T* px = m.add(wide);
    check(F::name, m,
          op::pointwise_forward<F, T>{.x = {x, px}, .y = {y, m.add(Field<T>(y, 2, true))}});
    check(F::name, m,
          op::pointwise_backward<F, T>{.v = {x, px},
                                       .dy = {y, m.add(Field<T>(y, 3))},
                                       .dx = {y, m.add(Field<T>(y, 4, true))}});
  }
  static void pointwise(int c, int extra) {
    const geometry::Map x = map(3, 5, 4, c, extra), y = map(3, 5, 4, c, 2 * extra);
    functor<rnx::functor::Relu>(x, y), functor<rnx::functor::Relu6>(x, y),
        functor<rnx::functor::HardSwish>(x, y), functor<rnx::functor::HardSigmoid>(x, y);
    Arrays m;
    std::vector<T> mask = numbers<T>(20 * c, 5);
    for (T& v : mask) v = v > 0;
    T *px = m.add(Field<T>(x, 1)), *py = m.add(Field<T>(y, 2, true)), *pm = m.add(mask);
    check("masked_relu_forward", m,
          op::masked_relu_forward<T>{.x = {x, px}, .y = {y, py}, .mask = pm});
    check("masked_relu_backward", m,
          op::masked_relu_backward<T>{
              .y = {x, px}, .dy = {x, m.add(Field<T>(x, 3))}, .dx = {y, py}, .mask = pm});
    check("affine_channels", m,
          op::affine_channels<T>{.x = {x, px},
                                 .y = {y, py},
                                 .shift = m.add(numbers<T>(c, 6)),
                                 .divisor = m.add(positive(c, 7))});
    check("affine_channels backward", m,
          op::affine_channels<T>{
              .x = {x, px}, .y = {y, py}, .shift = nullptr, .divisor = m.add(positive(c, 7))});
    check("dropout", m,
          op::dropout<T>{.x = {x, px},
                         .y = {y, py},
                         .values = m.add(values()),
                         .p = 0.3,
                         .draw = 5,
                         .site = 2,
                         .first_sample = 1000});
    check("dropout of chosen samples", m,
          op::dropout<T>{.x = {x, px},
                         .y = {y, py},
                         .values = m.add(values()),
                         .p = 0.3,
                         .draw = 5,
                         .site = 2,
                         .first_sample = 1000,
                         .samples = m.add(chosen({7, 0, 3}))});
    check("dropout without values", m,
          op::dropout<T>{.x = {x, px},
                         .y = {y, py},
                         .values = nullptr,
                         .p = 0.3,
                         .draw = 5,
                         .site = 2,
                         .first_sample = 1000});
  }

  struct Case {
    int n, cin, cout, h, w, kh, kw, stride, pad, groups, extra;
  };
  /// What the operations of one convolution read and write.
  struct Convolution {
    geometry::Conv2d g;
    geometry::Weights weights;
    std::vector<T> theta;
    std::size_t forward_size, backward_size;  // of the packed forms
    Arrays arrays;
    T *x, *dy, *y, *dx, *forward, *backward, *bias, *scale, *dw;

    Convolution(const Case& c, bool depthwise) : g(layer(c)) {
      const int o = g.out(), i = g.in(), taps = c.kh * c.kw,
                room = i + 2;  // theta has room for two more input channels
      weights = {c.groups,          o,    i,    c.kh, c.kw,
                 long(room) * taps, taps, c.kw, 1,    long(o) * room * taps};
      theta = numbers<T>(std::size_t(c.groups) * o * room * taps, 1);
      forward_size = depthwise ? weights.count() : weights.packed_forward();
      backward_size = depthwise ? weights.count() : weights.packed_backward();
      x = arrays.add(Field<T>(g.x, 3));
      dy = arrays.add(Field<T>(g.y, 4));
      y = arrays.add(Field<T>(g.y, 5, true));
      dx = arrays.add(Field<T>(g.x, 6, true));
      forward = arrays.add(std::vector<T>(forward_size));
      backward = arrays.add(std::vector<T>(backward_size));
      bias = arrays.add(numbers<T>(c.cout, 7));
      scale = arrays.add(numbers<T>(c.cout, 8));
      dw = arrays.add(std::vector<T>(weights.count(), T(9)));
      if (depthwise)
        run(op::pack_depthwise<T>{weights, theta.data(), forward});
      else
        run(op::pack_weights<T>{
            .g = weights, .theta = theta.data(), .forward = forward, .backward = backward});
    }
    static geometry::Conv2d layer(const Case& c) {
      const int h = rnx::window_out(c.h, c.kh, c.stride, c.pad),
                w = rnx::window_out(c.w, c.kw, c.stride, c.pad);
      return {map(c.n, c.h, c.w, c.cin, c.extra),
              map(c.n, h, w, c.cout, 2 * c.extra),
              {.kh = c.kh,
               .kw = c.kw,
               .stride = c.stride,
               .pad_h = c.pad,
               .pad_w = c.pad,
               .groups = c.groups}};
    }
  };
  static void packing(const Convolution& c) {
    Arrays m;
    T* theta = m.add(c.theta);
    check("pack_weights", m,
          op::pack_weights<T>{.g = c.weights,
                              .theta = theta,
                              .forward = m.add(std::vector<T>(c.forward_size, T(9))),
                              .backward = m.add(std::vector<T>(c.backward_size, T(9)))});
    check("unpack_gradient", m,
          op::unpack_gradient<T>{c.weights, m.add(numbers<T>(c.weights.count(), 2)), theta});
  }
  static void depthwise_packing(const Convolution& c) {
    Arrays m;
    T* theta = m.add(c.theta);
    check("pack_depthwise", m,
          op::pack_depthwise<T>{c.weights, theta, m.add(std::vector<T>(c.forward_size, T(9)))});
    check("unpack_depthwise_gradient", m,
          op::unpack_depthwise_gradient<T>{c.weights, m.add(numbers<T>(c.weights.count(), 2)),
                                           theta});
  }
  static void forward_and_backward(Convolution& c) {
    check("conv2d_forward", c.arrays,
          op::conv2d_forward<T>{.x = {c.g.x, c.x},
                                .w = c.forward,
                                .bias = nullptr,
                                .scale = nullptr,
                                .y = {c.g.y, c.y},
                                .filter = c.g,
                                .accumulate = false});
    check("conv2d_forward with bias", c.arrays,
          op::conv2d_forward<T>{.x = {c.g.x, c.x},
                                .w = c.forward,
                                .bias = c.bias,
                                .scale = nullptr,
                                .y = {c.g.y, c.y},
                                .filter = c.g,
                                .accumulate = false});
    check("conv2d_forward with scale", c.arrays,
          op::conv2d_forward<T>{.x = {c.g.x, c.x},
                                .w = c.forward,
                                .bias = c.bias,
                                .scale = c.scale,
                                .y = {c.g.y, c.y},
                                .filter = c.g,
                                .accumulate = false});
    check("conv2d_forward accumulating", c.arrays,
          op::conv2d_forward<T>{.x = {c.g.x, c.x},
                                .w = c.forward,
                                .bias = nullptr,
                                .scale = c.scale,
                                .y = {c.g.y, c.y},
                                .filter = c.g,
                                .accumulate = true});
    check("conv2d_backward_input", c.arrays,
          op::conv2d_backward_input<T>{
              .dy = {c.g.y, c.dy}, .w = c.backward, .dx = {c.g.x, c.dx}, .filter = c.g});
    check("conv2d_backward_weight", c.arrays,
          op::conv2d_backward_weight<T>{
              .x = {c.g.x, c.x}, .dy = {c.g.y, c.dy}, .dw = c.dw, .filter = c.g});
  }
  static void depthwise_forward_and_backward(Convolution& c) {
    check("depthwise_forward", c.arrays,
          op::depthwise_forward<T>{.x = {c.g.x, c.x},
                                   .w = c.forward,
                                   .bias = nullptr,
                                   .scale = nullptr,
                                   .y = {c.g.y, c.y},
                                   .filter = c.g,
                                   .accumulate = false});
    check("depthwise_forward with all", c.arrays,
          op::depthwise_forward<T>{.x = {c.g.x, c.x},
                                   .w = c.forward,
                                   .bias = c.bias,
                                   .scale = c.scale,
                                   .y = {c.g.y, c.y},
                                   .filter = c.g,
                                   .accumulate = true});
    check("depthwise_backward_input", c.arrays,
          op::depthwise_backward_input<T>{
              .dy = {c.g.y, c.dy}, .w = c.forward, .dx = {c.g.x, c.dx}, .filter = c.g});
    check("depthwise_backward_weight", c.arrays,
          op::depthwise_backward_weight<T>{
              .x = {c.g.x, c.x}, .dy = {c.g.y, c.dy}, .dw = c.dw, .filter = c.g});
  }
  static void convolution(const Case& shape, bool depthwise) {
    Convolution c(shape, depthwise);
    if (depthwise) {
      depthwise_packing(c);
      depthwise_forward_and_backward(c);
    } else {
      packing(c);
      forward_and_backward(c);
    }
    check("bias_backward", c.arrays, op::bias_backward<T>{.dy = {c.g.y, c.dy}, .db = c.bias});
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
                          {17, 16, 32, 4, 4, 3, 3, 1, 1, 1, 0},
                          {201, 2, 3, 3, 3, 3, 3, 1, 1, 1, 0},    // slices of samples, and a rest
                          {5, 64, 4, 64, 64, 3, 3, 1, 1, 1, 0}})  // patches in two parts
      convolution(c, false);
    for (const Case& c : {Case{2, 5, 5, 7, 6, 3, 3, 1, 1, 5, 0},
                          {2, 24, 24, 8, 9, 3, 3, 2, 1, 24, 3},
                          {3, 33, 33, 5, 5, 5, 5, 1, 2, 33, 0}})
      convolution(c, true);
    Arrays m;
    check("sum_bases", m,
          op::sum_bases<T>{.bases = 2,
                           .rows = 3,
                           .row = 5,
                           .base = m.add(numbers<T>(30, 1)),
                           .scale = m.add(numbers<T>(6, 2)),
                           .y = m.add(numbers<T>(15, 3))});
    check("sum_bases without scale", m,
          op::sum_bases<T>{.bases = 2,
                           .rows = 3,
                           .row = 5,
                           .base = m.add(numbers<T>(30, 1)),
                           .scale = nullptr,
                           .y = m.add(numbers<T>(15, 3))});
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
    check("batch_norm_statistics", m,
          op::batch_norm_statistics<T>{.x = {x, px}, .mean = mean, .var = var});
    check("batch_norm_normalize", m,
          op::batch_norm_normalize<T>{.x = {x, px},
                                      .y = {y, py},
                                      .mean = mean,
                                      .var = var,
                                      .gamma = gamma,
                                      .beta = beta,
                                      .eps = eps});
    check("batch_norm_normalize plain", m,
          op::batch_norm_normalize<T>{.x = {x, px},
                                      .y = {y, py},
                                      .mean = mean,
                                      .var = var,
                                      .gamma = nullptr,
                                      .beta = nullptr,
                                      .eps = eps});
    check("batch_norm_reduce", m,
          op::batch_norm_reduce<T>{
              .x = {x, px}, .dy = {y, dy}, .mean = mean, .var = var, .sums = sums, .eps = eps});
    check("batch_norm_backward", m,
          op::batch_norm_backward<T>{.x = {x, px},
                                     .dy = {y, dy},
                                     .dx = {x, dx},
                                     .mean = mean,
                                     .var = var,
                                     .gamma = gamma,
                                     .sums = sums,
                                     .eps = eps});
    check("batch_norm_backward eval", m,
          op::batch_norm_backward<T>{.x = {x, px},
                                     .dy = {y, dy},
                                     .dx = {x, dx},
                                     .mean = mean,
                                     .var = var,
                                     .gamma = gamma,
                                     .sums = nullptr,
                                     .eps = eps});
    check("batch_norm_update", m,
          op::batch_norm_update<T>{.c = c,
                                   .weight = T(0.1),
                                   .correction = T(1.25),
                                   .mean = mean,
                                   .var = var,
                                   .running_mean = gamma,
                                   .running_var = sums});
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
    const geometry::Window window{kernel, stride, pad};
    check("max_pool_forward", m,
          op::max_pool_forward<T>{.x = {x, px}, .y = {y, py}, .window = window});
    check(
        "max_pool_backward", m,
        op::max_pool_backward<T>{.x = {x, px}, .dy = {y, dy}, .dx = {dense, dx}, .window = window});
    check("average_pool_forward", m,
          op::average_pool_forward<T>{
              .x = {x, m.add(Field<T>(x, 6))}, .y = {y, py}, .window = window});
    check("average_pool_backward", m,
          op::average_pool_backward<T>{.dy = {y, dy}, .dx = {x, wide}, .window = window});
    const geometry::Map one = map(3, 1, 1, c, extra);
    check("global_pool_forward", m,
          op::global_pool_forward<T>{.x = {x, m.add(Field<T>(x, 6))},
                                     .y = {one, m.add(Field<T>(one, 7, true))}});
    check("global_pool_backward", m,
          op::global_pool_backward<T>{.dy = {one, m.add(Field<T>(one, 8))}, .dx = {x, wide}});
  }

  static void row_distances(Arrays& m, op::Map<const T> t, op::Map<T> ds, T* value, bool add) {
    for (const op::Distance kind : {op::Distance::mean_square, op::Distance::cosine,
                                    op::Distance::l2, op::Distance::relative_l2}) {
      if (ds.c == 1 && kind == op::Distance::cosine) continue;  // a gradient of rounding alone
      check("row_distance", m,
            op::row_distance<T>{.s = {ds, m.add(Field<T>(ds, 4))},
                                .t = t,
                                .ds = ds,
                                .value = value,
                                .kind = kind,
                                .weight = 0.5,
                                .add = add});
    }
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
      check("cross_entropy", m,
            op::cross_entropy<T>{.logits = {z, pz},
                                 .dz = {z, dz},
                                 .labels = pl,
                                 .value = value,
                                 .smoothing = 0,
                                 .weight = 0.5,
                                 .add = add});
      check("cross_entropy smoothed", m,
            op::cross_entropy<T>{.logits = {z, pz},
                                 .dz = {z, dz},
                                 .labels = pl,
                                 .value = value,
                                 .smoothing = 0.1,
                                 .weight = 1,
                                 .add = add});
      check("cross_entropy value", m,
            op::cross_entropy<T>{.logits = {z, pz},
                                 .dz = {z, nullptr},
                                 .labels = pl,
                                 .value = value,
                                 .smoothing = 0.1,
                                 .weight = 1,
                                 .add = add});
      for (const bool reverse : {false, true})
        check("kl_divergence", m,
              op::kl_divergence<T>{.logits = {z, pz},
                                   .teacher = {t, pt},
                                   .dz = {z, dz},
                                   .value = value,
                                   .temperature = 4,
                                   .weight = 0.5,
                                   .reverse = reverse,
                                   .add = add});
      row_distances(m, {t, pt}, {z, dz}, value, add);
    }
  }
  /// Rows that are chosen from a batch.
  static void chosen_samples(int c, int extra) {
    const geometry::Map x = map(3, 5, 4, c, extra), two = map(2, 5, 4, c, 2 * extra);
    Arrays moves;
    const std::int32_t* rows = moves.add(chosen({2, 0}));
    check("gather_rows", moves,
          op::gather_rows<T>{.from = {x, moves.add(Field<T>(x, 1))},
                             .to = {two, moves.add(Field<T>(two, 2, true))},
                             .rows = rows});
    check("scatter_rows", moves,
          op::scatter_rows<T>{.from = {two, moves.add(Field<T>(two, 3))},
                              .to = {x, moves.add(Field<T>(x, 4, true))},
                              .rows = rows});
    const geometry::Map z = map(4, 1, 1, c, extra), t = map(6, 1, 1, c);
    Arrays m;
    T *pz = m.add(Field<T>(z, 5)), *pt = m.add(Field<T>(t, 6)), *value = m.add(std::vector<T>(4)),
      *dz = m.add(Field<T>(z, 7, true));
    const std::int32_t* samples = m.add(chosen({5, 0, 3, 1}));
    check("cross_entropy of chosen samples", m,
          op::cross_entropy<T>{.logits = {z, pz},
                               .dz = {z, dz},
                               .labels = m.add(chosen({0, 1, 2, 1, 0, 2})),
                               .value = value,
                               .smoothing = 0.1,
                               .weight = 1,
                               .add = false,
                               .samples = samples});
    check("kl_divergence of chosen samples", m,
          op::kl_divergence<T>{.logits = {z, pz},
                               .teacher = {t, pt},
                               .dz = {z, dz},
                               .value = value,
                               .temperature = 4,
                               .weight = 0.5,
                               .reverse = false,
                               .add = true,
                               .samples = samples});
    check("row_distance of chosen samples", m,
          op::row_distance<T>{.s = {z, pz},
                              .t = {t, pt},
                              .ds = {z, dz},
                              .value = value,
                              .kind = op::Distance::l2,
                              .weight = 0.5,
                              .add = false,
                              .samples = samples});
  }

  static void sgd(std::size_t n, bool first, bool nesterov) {
    Arrays m;
    const rnx::StepValues* v = m.add(values());
    const double* clip = m.add(std::vector<double>{0.4});
    T *g = m.add(numbers<T>(n, 1)), *velocity = m.add(numbers<T>(n, 2)),
      *p = m.add(numbers<T>(n, 3));
    check("sgd_step", m,
          op::sgd_step<T>{.count = n,
                          .lr_factor = 0.5,
                          .decay = 1e-3,
                          .nesterov = nesterov,
                          .first = first,
                          .values = v,
                          .clip = clip,
                          .gradient = g,
                          .velocity = velocity,
                          .parameter = p});
    check("sgd_step without clip", m,
          op::sgd_step<T>{.count = n,
                          .lr_factor = 1,
                          .decay = 0,
                          .nesterov = nesterov,
                          .first = first,
                          .values = v,
                          .clip = nullptr,
                          .gradient = g,
                          .velocity = velocity,
                          .parameter = p});
    check("sgd_step without velocity", m,
          op::sgd_step<T>{.count = n,
                          .lr_factor = 1,
                          .decay = 1e-3,
                          .nesterov = false,
                          .first = first,
                          .values = v,
                          .clip = clip,
                          .gradient = g,
                          .velocity = nullptr,
                          .parameter = p});
    check("sgd_step without values", m,
          op::sgd_step<T>{.count = n,
                          .lr_factor = 1,
                          .decay = 1e-3,
                          .nesterov = nesterov,
                          .first = first,
                          .values = nullptr,
                          .clip = clip,
                          .gradient = g,
                          .velocity = velocity,
                          .parameter = p});
  }
  static void adam_average_and_clipping(std::size_t n) {
    Arrays m;
    T *g = m.add(numbers<T>(n, 1)), *first = m.add(numbers<T>(n, 2)),
      *second = m.add(positive(n, 3)), *p = m.add(numbers<T>(n, 4));
    double *sum = m.add(std::vector<double>{2.5}), *clip = m.add(std::vector<double>{0.4});
    check("adam_step", m,
          op::adam_step<T>{.count = n,
                           .lr_factor = 1,
                           .beta1 = 0.9,
                           .beta2 = 0.999,
                           .eps = 1e-8,
                           .decay = 1e-3,
                           .t = 7,
                           .values = m.add(values()),
                           .clip = clip,
                           .gradient = g,
                           .m = first,
                           .v = second,
                           .parameter = p});
    check("ema_step", m, op::ema_step<T>{.count = n, .decay = 0.99, .parameter = g, .average = p});
    check("square_sum", m, op::square_sum<T>{n, g, sum});
    check("clip_factor", m, op::clip_factor<T>{0.5, sum, clip});
  }
  static void optimizers(std::size_t n) {
    for (const bool first : {false, true})
      for (const bool nesterov : {false, true}) sgd(n, first, nesterov);
    adam_average_and_clipping(n);
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
    for (const op::Norm norm : {op::Norm::linf, op::Norm::l2}) {
      check("attack_start", m,
            op::attack_start<T>{.clean = {x, pc},
                                .adversarial = {x, pa},
                                .values = v,
                                .norm = norm,
                                .draw = 4,
                                .first_sample = 100});
      std::vector<std::int32_t> backwards;
      for (int i = x.n; i > 0; --i) backwards.push_back(3 * i);
      check("attack_start of chosen samples", m,
            op::attack_start<T>{.clean = {x, pc},
                                .adversarial = {x, pa},
                                .values = v,
                                .norm = norm,
                                .draw = 4,
                                .first_sample = 100,
                                .samples = m.add(backwards)});
      check("attack_step", m,
            op::attack_step<T>{.clean = {x, pc},
                               .gradient = {x, pg},
                               .adversarial = {x, pa},
                               .values = v,
                               .norm = norm,
                               .fgsm = false});
      check("attack_step fgsm", m,
            op::attack_step<T>{.clean = {x, pc},
                               .gradient = {x, pg},
                               .adversarial = {x, pa},
                               .values = v,
                               .norm = norm,
                               .fgsm = true});
    }
  }

  /// Three members' logits of four samples, one of them not finite.
  static void victims(int c) {
    const geometry::Map z = map(12, 1, 1, c, 2), y = map(4, 1, 1, c), image = map(4, 3, 2, c);
    Field<T> logits(z, 1);
    for (T& v : logits.v) v *= 6;
    logits.at(6, 0, 0, c - 1) = -std::numeric_limits<T>::infinity();
    for (const op::Combine how :
         {op::Combine::mean_logits, op::Combine::mean_probabilities, op::Combine::most_confident}) {
      Arrays m;
      T* pz = m.add(logits);
      check("combine_logits", m,
            op::combine_logits<T>{.z = {z, pz}, .y = {y, m.add(Field<T>(y, 2))}, .how = how});
      check("combine_logits_backward", m,
            op::combine_logits_backward<T>{.z = {z, pz},
                                           .dy = {y, m.add(Field<T>(y, 3))},
                                           .dz = {z, m.add(Field<T>(z, 4, true))},
                                           .how = how});
    }
    Arrays m;
    std::vector<T> other = numbers<T>(4, 5);
    other[2] = std::numeric_limits<T>::quiet_NaN();
    check("keep_larger", m,
          op::keep_larger<T>{.other_value = m.add(other),
                             .value = m.add(numbers<T>(4, 6)),
                             .other = {image, m.add(Field<T>(image, 7))},
                             .kept = {image, m.add(Field<T>(image, 8))}});
  }

  /// What searches for the smallest perturbation work on: three packed rows of five.
  struct Search {
    geometry::Map all = map(5, 4, 3, 2), some = map(3, 4, 3, 2);
    Arrays m{};
    const rnx::StepValues* values = m.add(Ops::values());
    const std::int32_t* packed = m.add(chosen({3, 0, 4}));
    T *clean = m.add(images(5, 1)), *x = m.add(images(3, 2)), *w = m.add(Field<T>(all, 2)),
      *mean = m.add(Field<T>(all, 3)), *square = m.add(positive(all.rows() * all.c, 4)),
      *gradient = m.add(Field<T>(some, 5)), *found = m.add(Field<T>(all, 6)),
      *state = m.add(positive(std::size_t(5) * op::cw_columns, 9)),
      *boundary = m.add(positive(std::size_t(3) * op::fab_columns, 9)),
      *margin = m.add(numbers<T>(3, 7)), *above = m.add(positive(5, 8)),
      *fooled = m.add(std::vector<T>{1, 0, 1});

    static std::vector<T> images(int n, std::uint64_t site) {
      std::vector<T> v = numbers<T>(std::size_t(n) * 24, site);
      for (T& pixel : v) pixel = std::fabs(pixel) > 1 ? 1 : std::fabs(pixel);
      return v;
    }
  };
  static void carlini_wagner() {
    Search s;
    check("cw_begin", s.m,
          op::cw_begin<T>{
              .clean = {s.all, s.clean}, .adversarial = {s.all, s.found}, .state = s.state});
    for (const bool last : {false, true})
      check("cw_restart", s.m,
            op::cw_restart<T>{.clean = {s.all, s.clean},
                              .w = {s.all, s.w},
                              .mean = {s.all, s.mean},
                              .square = {s.all, s.square},
                              .state = s.state,
                              .next = true,
                              .last = last});
    check("cw_image", s.m,
          op::cw_image<T>{.w = {s.all, s.w}, .x = {s.some, s.x}, .packed = s.packed});
    for (const bool look : {false, true})
      check("cw_step", s.m,
            op::cw_step<T>{.x = {s.some, s.x},
                           .gradient = {s.some, s.gradient},
                           .margin = s.margin,
                           .fooled = s.fooled,
                           .clean = {s.all, s.clean},
                           .w = {s.all, s.w},
                           .mean = {s.all, s.mean},
                           .square = {s.all, s.square},
                           .adversarial = {s.all, s.found},
                           .state = s.state,
                           .step = 3,
                           .check = look,
                           .packed = s.packed});
  }
  static void deep_fool_and_square() {
    Search s;
    for (const op::Norm norm : {op::Norm::linf, op::Norm::l2}) {
      check("deep_fool_step", s.m,
            op::deep_fool_step<T>{.plane = {s.some, s.gradient},
                                  .state = s.boundary,
                                  .total = {s.all, s.w},
                                  .norm = norm,
                                  .packed = s.packed});
      check("clean_beyond", s.m,
            op::clean_beyond<T>{.clean = {s.all, s.clean},
                                .adversarial = {s.all, s.found},
                                .values = s.values,
                                .norm = norm});
    }
    check("deep_fool_image", s.m,
          op::deep_fool_image<T>{.clean = {s.all, s.clean},
                                 .total = {s.all, s.w},
                                 .x = {s.some, s.x},
                                 .packed = s.packed});
    check("square_propose", s.m,
          op::square_propose<T>{.clean = {s.all, s.clean},
                                .best = {s.all, s.found},
                                .to = {s.some, s.x},
                                .values = s.values,
                                .size = 2,
                                .samples = s.packed,
                                .packed = s.packed});
    check("square_accept", s.m,
          op::square_accept<T>{.proposal = {s.some, s.x},
                               .best = {s.all, s.found},
                               .margin = s.above,
                               .loss = s.margin,
                               .packed = s.packed});
  }

  static void all() {
    for (int extra : {0, 3}) {
      memory_operations(6, extra);
      pointwise(5, extra);
      losses(10, extra);
      losses(1, extra);
      chosen_samples(6, extra);
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
    victims(7);
    attacks(5, 3);
    attacks(2, 700);
    carlini_wagner();
    deep_fool_and_square();
  }
};

}  // namespace test
