// Weight maps and activation maps on a device against the CPU's.
#pragma once

#include "ops.hpp"

#include "rnx/quant.hpp"

namespace test {

namespace quant = rnx::quant;

template <class Device, class T> struct QuantOps : Ops<Device, T> {
  using Base = Ops<Device, T>;
  using Base::check, Base::map, Base::positive;
  static constexpr T nan = std::numeric_limits<T>::quiet_NaN();

  /// Weights whose active corner may be smaller than theta; some are beyond 1, one may be NaN.
  struct Layer {
    geometry::Weights g;
    std::vector<T> theta;
    Layer(int groups, int o, int i, int k, int room, bool undefined)
        : g{groups,      o,
            i,           k,
            k,           long(i + room) * k * k,
            long(k) * k, k,
            1,           long(o) * (i + room) * k * k},
          theta(numbers<T>(std::size_t(groups) * o * (i + room) * k * k, 1)) {
      for (T& w : theta) w *= T(1.25);
      theta[0] = 0;
      if (undefined) theta[1] = nan;
    }
  };
  template <class W> static void weights(const Layer& layer, int told = 0) {
    const geometry::Weights& g = layer.g;
    const int filters = g.groups * g.o;
    Arrays m;
    T *theta = m.add(layer.theta), *bases = m.add(numbers<T>(W::bases * g.count(), 2)),
      *scales = m.add(positive(std::size_t(W::bases) * filters, 3)),
      *dsum = m.add(numbers<T>(g.count(), 4)), *dtheta = m.add(numbers<T>(layer.theta.size(), 5));
    const std::size_t learned = quant::parameter_count<W>(filters);
    T *parameters = m.add(positive(learned, 6)), *dparameters = m.add(numbers<T>(learned, 7));
    op::scales_of<W, T*> given{};
    if constexpr (W::scaled) given = scales;
    check("weight_bases", m,
          op::weight_bases<W, T>{.g = g,
                                 .theta = theta,
                                 .bases = bases,
                                 .scales = given,
                                 .parameters = learned > 0 ? parameters : nullptr,
                                 .filters = filters,
                                 .told = told});
    check("weight_bases_backward", m,
          op::weight_bases_backward<W, T>{.g = g,
                                          .theta = theta,
                                          .bases = bases,
                                          .scales = given,
                                          .dsum = dsum,
                                          .dtheta = dtheta,
                                          .parameters = learned > 0 ? parameters : nullptr,
                                          .dparameters = learned > 0 ? dparameters : nullptr,
                                          .filters = filters,
                                          .told = told});
  }
  static void all_weights(const Layer& layer) {
    using quant::LeastSquares, quant::Learned, quant::MultiBit, quant::Per;
    weights<quant::Sign>(layer);
    weights<quant::Round<4>>(layer);
    weights<quant::DoReFaWeights<1>>(layer);
    weights<quant::DoReFaWeights<3>>(layer);
    weights<quant::DoReFaWeights<rnx::at_run_time>>(layer, 2);
    weights<quant::XnorWeights>(layer);
    weights<quant::BiRealWeights>(layer);
    weights<quant::Int8Weights>(layer);
    weights<quant::TernaryWeights<Per::layer>>(layer);
    weights<quant::TernaryWeights<Per::channel>>(layer);
    weights<MultiBit<1>>(layer);
    weights<MultiBit<3>>(layer);
    weights<MultiBit<2, LeastSquares<Per::channel>>>(layer);
    weights<MultiBit<2, Learned<Per::layer>>>(layer);
    weights<MultiBit<3, Learned<Per::channel>>>(layer);
    weights<MultiBit<rnx::at_run_time>>(layer, 4);
  }

  template <class A>
  static void activations(int pad, int extra, const std::vector<T>& parameters, int told = 0) {
    const geometry::Map x = map(3, 4, 5, 6, extra), y = map(3, 4, 5, 6, 2 * extra);
    const std::size_t count = std::size_t(3) * (4 + 2 * pad) * (5 + 2 * pad) * 6;
    Field<T> values(x, 1);
    for (T& v : values.v) v *= 2;
    values.at(1, 2, 3, 4) = nan;
    values.at(0, 0, 0, 0) = 0;
    Arrays m;
    T *px = m.add(values), *p = parameters.empty() ? nullptr : m.add(parameters),
      *dp = parameters.empty() ? nullptr : m.add(numbers<T>(parameters.size(), 2)),
      *bases = m.add(numbers<T>(A::bases * count, 3)), *sum = m.add(numbers<T>(count, 4)),
      *dx = m.add(Field<T>(y, 5, true));
    op::activation_bases<A, T> forward{.x = {x, px},
                                       .parameters = p,
                                       .bases = bases,
                                       .sum = sum,
                                       .pad = pad,
                                       .channels = 6,
                                       .told = told};
    check("activation_bases", m, forward);
    forward.bases = nullptr;
    check("activation_bases, their sum", m, forward);
    forward.bases = bases;
    forward.sum = nullptr;
    check("activation_bases alone", m, forward);
    op::activation_bases_backward<A, T> backward{.x = {x, px},
                                                 .dx = {y, dx},
                                                 .parameters = p,
                                                 .dsum = sum,
                                                 .dparameters = dp,
                                                 .pad = pad,
                                                 .channels = 6,
                                                 .told = told};
    check("activation_bases_backward", m, backward);
    backward.dx.data = nullptr;
    check("activation_bases_backward of the parameters", m, backward);
  }
  static void all_activations(int pad, int extra) {
    using quant::BinaryActivation, quant::MultiBitActivation;
    activations<quant::SignActivation>(pad, extra, {});
    activations<BinaryActivation<quant::surrogate::ApproxSign>>(pad, extra, {});
    activations<quant::RoundActivation<2>>(pad, extra, {});
    activations<quant::RoundActivation<rnx::at_run_time>>(pad, extra, {}, 3);
    activations<quant::PactActivation<4>>(pad, extra, {T(1.5)});
    activations<quant::PactActivation<rnx::at_run_time>>(pad, extra, {T(1.5)}, 3);
    activations<quant::PactActivation<4>>(pad, extra, {T(-1)});
    activations<quant::Int8Activation>(pad, extra, {T(0.01)});
    activations<MultiBitActivation<2>>(pad, extra, {T(0.5), T(0.75), T(-0.25), T(0.125)});
    activations<MultiBitActivation<rnx::at_run_time>>(
        pad, extra, {T(0.5), T(0.75), T(0.25), T(-0.25), T(0.125), T(0.5)}, 3);
  }
  static void products() {
    Arrays m;
    op::base_products<T> a{.k = 3,
                           .n = 2,
                           .o = 5,
                           .scales = m.add(numbers<T>(15, 1)),
                           .betas = m.add(numbers<T>(2, 2)),
                           .products = m.add(numbers<T>(30, 3))};
    check("base_products", m, a);
    a.scales = nullptr;
    check("base_products of betas", m, a);
    a.betas = nullptr;
    check("base_products of ones", m, a);
  }

  static void all() {
    all_weights(Layer(1, 5, 4, 3, 0, false));
    all_weights(Layer(2, 3, 4, 3, 2, false));
    all_weights(Layer(6, 1, 1, 3, 0, false));
    all_weights(Layer(1, 3, 700, 1, 1, false));
    all_weights(Layer(1, 5, 4, 3, 0, true));
    for (const int extra : {0, 3})
      for (const int pad : {0, 1}) all_activations(pad, extra);
    products();
  }
};

}  // namespace test
