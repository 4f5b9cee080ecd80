// Convolutions of signs on a device against the CPU's.
#pragma once

#include "ops.hpp"

#include "rnx/quant.hpp"

namespace test {

template <class Device, class T> struct BinaryOps : Ops<Device, T> {
  using Base = Ops<Device, T>;
  using Base::check, Base::map;
  static constexpr T nan = std::numeric_limits<T>::quiet_NaN();
  struct Case {
    int in, out, kernel, stride, pad, weight_bases, activation_bases, extra;
    bool undefined;  // a value and a weight are NaN
  };

  static std::vector<T> signs(const geometry::BitWeights& g, bool undefined) {
    std::vector<T> base = numbers<T>(std::size_t(g.bases) * g.o * g.bits(), 1);
    for (T& v : base) v = v < 0 ? T(-1) : T(1);
    if (undefined) base[base.size() / 3] = nan;
    return base;
  }
  template <class A> static void convolution(const Case& c) {
    const geometry::Map x = map(2, 7, 6, c.in, c.extra),
                        y = map(2, rnx::window_out(7, c.kernel, c.stride, c.pad),
                                rnx::window_out(6, c.kernel, c.stride, c.pad), c.out, 2 * c.extra);
    const geometry::BitMap to{x, c.pad, c.activation_bases};
    const geometry::BitWeights g{c.weight_bases, c.out, c.in, c.kernel, c.kernel};
    Field<T> values(x, 2);
    values.at(0, 0, 0, 0) = 0;
    if (c.undefined) values.at(1, 3, 2, c.in - 1) = nan;
    std::vector<std::uint32_t> bits(2 * to.sample_words(), 5), words(g.words(), 5);
    const std::vector<T> base = signs(g, c.undefined), parameters = numbers<T>(2 * to.bases, 3);
    const op::binarize<A, T> binarize{
        .x = {x, values.data()}, .parameters = parameters.data(), .to = to, .bits = bits.data()};
    const op::pack_binary<T> pack{.g = g, .base = base.data(), .words = words.data()};
    Arrays m;
    auto on_device = binarize;
    on_device.x.data = m.add(values);
    on_device.parameters = m.add(parameters);
    on_device.bits = m.add(bits);
    check("binarize", m, on_device);
    T* pb = m.add(base);
    check("pack_binary", m, op::pack_binary<T>{.g = g, .base = pb, .words = m.add(words)});
    run(binarize);
    run(pack);
    const std::uint32_t* pw = m.add(words);
    check("unpack_binary", m, op::unpack_binary<T>{.g = g, .words = pw, .base = pb});
    const std::uint32_t* pbits = m.add(bits);
    T *py = m.add(Field<T>(y, 4, true)), *bias = m.add(numbers<T>(c.out, 5)),
      *scale = m.add(numbers<T>(std::size_t(c.weight_bases) * to.bases * c.out, 6));
    for (const bool plain : {false, true}) {
      if (plain && c.weight_bases * to.bases > 1) continue;
      check("binary_convolution", m,
            op::binary_convolution<T>{
                .in = {.x = to, .bits = pbits, .weights = pw, .weight_bases = c.weight_bases},
                .bias = plain ? nullptr : bias,
                .scale = plain ? nullptr : scale,
                .y = {y, py},
                .filter = {.kh = c.kernel, .kw = c.kernel, .stride = c.stride}});
    }
  }

  static void all() {
    for (const bool undefined : {false, true}) {
      convolution<rnx::quant::SignActivation>({16, 20, 3, 1, 1, 1, 1, 0, undefined});
      convolution<rnx::quant::SignActivation>({32, 16, 3, 2, 1, 1, 1, 3, undefined});
      convolution<rnx::quant::SignActivation>({70, 33, 1, 2, 0, 2, 1, 1, undefined});
      convolution<rnx::quant::SignActivation>({5, 17, 5, 1, 2, 1, 1, 2, undefined});
      convolution<rnx::quant::MultiBitActivation<2>>({16, 16, 3, 1, 1, 3, 2, 0, undefined});
    }
  }
};

}  // namespace test
