// Weights between the field's order, theta (o, i, kh, kw), and the kernels' orders.
//   forward (group, kh, kw, i, o)   backward (group, kh flipped, kw flipped, o, i)   the last index
//                                   padded with zeros to 16
#pragma once

#include "rnx/kernels/cuda/execute.cuh"
#include "rnx/kernels/cuda/weights.hpp"

namespace rnx::inline RNX_ABI::gpu {

/// One packed form: `inner` channels (the padded index) with stride `si` in theta, `outer` ones
/// with stride `so`.
template <class T> struct Pack {
  geometry::Weights g;
  const T* theta;
  T* packed;
  int outer;
  long so;
  int inner;
  long si;
  bool flip;
  RNX_SHARED int pitch() const {
    return (inner + geometry::lanes - 1) / geometry::lanes * geometry::lanes;
  }
  std::size_t count() const { return std::size_t(g.groups) * g.kh * g.kw * outer * pitch(); }
  RNX_HD void operator()(std::size_t e) const {
    const int taps = g.kh * g.kw;
    const Split v(e, pitch()), u(v.quotient, outer), t(u.quotient, taps);
    const int tap = flip ? taps - 1 - int(t.remainder) : int(t.remainder);
    packed[e] = v.remainder < std::size_t(inner)
                    ? theta[long(t.quotient) * g.sg + long(u.remainder) * so +
                            long(v.remainder) * si + tap / g.kw * g.sh + tap % g.kw * g.sw]
                    : T(0);
  }
};

template <class T> struct body<op::pack_weights<T>> {
  template <class E> static void run(const E& on, const op::pack_weights<T>& a) {
    const Pack<T> forward{a.g, a.theta, a.forward, a.g.i, a.g.si, a.g.o, a.g.so, false},
        backward{a.g, a.theta, a.backward, a.g.o, a.g.so, a.g.i, a.g.si, true};
    if (a.forward) on.each(forward.count(), forward);
    if (a.backward) on.each(backward.count(), backward);
  }
};
template <class T> struct element<op::unpack_gradient<T>> {
  op::unpack_gradient<T> a;
  std::size_t count() const { return a.g.count(); }
  RNX_HD void operator()(std::size_t e) const {
    const Split o(e, a.g.o), i(o.quotient, a.g.i), kw(i.quotient, a.g.kw), kh(kw.quotient, a.g.kh);
    a.dtheta[long(kh.quotient) * a.g.sg + long(o.remainder) * a.g.so + long(i.remainder) * a.g.si +
             long(kh.remainder) * a.g.sh + long(kw.remainder) * a.g.sw] += a.dense[e];
  }
};

/// (kh, kw, c): channel c is group c, its theta at c sg.
RNX_SHARED long depthwise_offset(const geometry::Weights& g, std::size_t e) {
  const Split c(e, g.groups), kw(c.quotient, g.kw);
  return long(c.remainder) * g.sg + long(kw.quotient) * g.sh + long(kw.remainder) * g.sw;
}
template <class T> struct element<op::pack_depthwise<T>> {
  op::pack_depthwise<T> a;
  std::size_t count() const { return std::size_t(a.g.kh) * a.g.kw * a.g.groups; }
  RNX_HD void operator()(std::size_t e) const { a.packed[e] = a.theta[depthwise_offset(a.g, e)]; }
};
template <class T> struct element<op::unpack_depthwise_gradient<T>> {
  op::unpack_depthwise_gradient<T> a;
  std::size_t count() const { return std::size_t(a.g.kh) * a.g.kw * a.g.groups; }
  RNX_HD void operator()(std::size_t e) const { a.dtheta[depthwise_offset(a.g, e)] += a.dense[e]; }
};

template <class T> struct element<op::sum_bases<T>> {
  op::sum_bases<T> a;
  RNX_SHARED std::size_t count() const { return a.rows * a.row; }
  RNX_HD void operator()(std::size_t e) const {
    const std::size_t r = Split(e, a.row).quotient;
    T sum = 0;
    for (int k = 0; k < a.bases; ++k) {
      const T term =
          product(a.scale ? a.scale[std::size_t(k) * a.rows + r] : T(1), a.base[k * count() + e]);
      sum = k == 0 ? term : sum + term;
    }
    a.y[e] = sum;
  }
};

}  // namespace rnx::inline RNX_ABI::gpu

namespace rnx::inline RNX_ABI {
RNX_CUDA_WEIGHTS(RNX_CUDA_DEFINE)
}  // namespace rnx::inline RNX_ABI
