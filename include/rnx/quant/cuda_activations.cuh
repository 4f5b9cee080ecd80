// Activation maps on CUDA: a thread for each element of the padded map.
#pragma once

#include "rnx/kernels/cuda/reduce.cuh"
#include "rnx/quant/elements.hpp"

namespace rnx::inline RNX_ABI::gpu {

/// A padded dense map over x: what stands at an element, and the functions of the map there.
template <class Operation, class A, class T> struct Padded {
  using Functions = quant_detail::ElementFunctions<A, T, int, int>;
  Operation a;
  int bases, bits, parameters;  // numbers that the host knows

  explicit Padded(const Operation& of)
      : a(of),
        bases(quant::bases_of<A>(of.told)),
        bits(quant::bits_of<A>(of.told)),
        parameters(int(quant::parameter_count<A>(0, bases))) {}
  RNX_SHARED geometry::Map map() const {
    return {a.x.n, a.x.h + 2 * a.pad, a.x.w + 2 * a.pad, a.x.c, a.x.c};
  }
  RNX_SHARED Functions functions() const { return {a.parameters, bases, bits, parameters}; }
  /// Where element e is read in x, or null in the padding.
  RNX_SHARED const T* inside(std::size_t e) const {
    const Position p(map(), e);
    const int h = p.h - a.pad, w = p.w - a.pad;
    return h < 0 || h >= a.x.h || w < 0 || w >= a.x.w ? nullptr
                                                      : a.x.data + offset(a.x, p.n, h, w, p.c);
  }
};

template <class A, class T> struct ActivationBases : Padded<op::activation_bases<A, T>, A, T> {
  using Base = Padded<op::activation_bases<A, T>, A, T>;
  using Base::a, Base::Base;
  std::size_t count = active(Base::map());
  RNX_HD void operator()(std::size_t e) const {
    const auto f = this->functions();
    const T* x = this->inside(e);
    for (int n = 0; a.bases && n < f.bases; ++n)
      a.bases[n * count + e] = x ? f.base(*x, n) : T(A::pad_value);
    if (a.sum) a.sum[e] = x ? f.sum(*x) : f.padded_sum();
  }
};
template <class A, class T>
  requires quant_detail::known<A>
struct body<op::activation_bases<A, T>> {
  template <class E> static void run(const E& on, const op::activation_bases<A, T>& a) {
    const ActivationBases<A, T> f(a);
    on.each(f.count, f);
  }
};

template <class A, class T>
struct ActivationBackward : Padded<op::activation_bases_backward<A, T>, A, T> {
  using Base = Padded<op::activation_bases_backward<A, T>, A, T>;
  using Base::a, Base::Base;
  static constexpr int terms = Base::Functions::most > 0 ? Base::Functions::most : 1;
  /// Of the input.
  RNX_HD void operator()(std::size_t i) const {
    const Position p(a.x, i);
    const T dsum = a.dsum[offset(this->map(), p.n, p.h + a.pad, p.w + a.pad, p.c)];
    a.dx.data[offset(a.dx, i)] = this->functions().slope(a.x.data[offset(a.x, i)]) * dsum;
  }
  /// What a padded element gives to the sums of all parameters, and what is done with them.
  RNX_SHARED void operator()(std::size_t, std::size_t e, double* acc) const {
    const auto f = this->functions();
    const T* x = this->inside(e);
    for (int j = 0; j < f.count; ++j) {
      const T slope = x ? f.parameter_slope(*x, j) : f.padded_slope(j);
      if (x || slope != T(0)) acc[j] += double(slope) * double(a.dsum[e]);
    }
  }
  RNX_SHARED void operator()(std::size_t, const double* sums) const {
    const auto f = this->functions();
    for (int j = 0; j < f.count; ++j)
      a.dparameters[j] += T(sums[j] * f.factor(j, double(a.x.h) * a.x.w * a.x.c));
  }
};
template <class A, class T>
  requires quant_detail::known<A>
struct body<op::activation_bases_backward<A, T>> {
  template <class E> static void run(const E& on, const op::activation_bases_backward<A, T>& a) {
    const ActivationBackward<A, T> f(a);
    if (a.dx.data) on.each(active(a.x), f);
    if (f.parameters > 0 && a.dparameters) sum_segments(on, 1, active(f.map()), false, f, f);
  }
};

}  // namespace rnx::inline RNX_ABI::gpu
