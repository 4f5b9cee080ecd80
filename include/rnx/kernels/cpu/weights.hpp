// Weights between the field's order, theta (o, i, kh, kw), and the kernels' orders.
//   forward (group, kh, kw, i, o)   backward (group, kh flipped, kw flipped, o, i)   the last index padded with zeros to 16
#pragma once

#include "rnx/kernels/cpu/vector.hpp"
#include "rnx/kernels/op/convolution.hpp"

namespace rnx::inline RNX_ISA::host {

/// One packed form: `inner` channels (the padded index) with stride `si` in theta, `outer` ones with stride `so`.
template <class T>
void pack(const geometry::Weights& g, const T* theta, T* packed, int outer, long so, int inner, long si, bool flip) {
  constexpr int L = geometry::lanes;
  const int blocks = (inner + L - 1) / L, taps = g.kh * g.kw;
  parallel_for(long(g.groups) * blocks, [&](long task) {
    const int group = int(task / blocks), first = int(task % blocks) * L, count = smaller(L, inner - first);
    for (int u = 0; u < outer; ++u)
      for (int t = 0; t < taps; ++t) {
        const T* from = theta + group * g.sg + u * so + first * si + (t / g.kw) * g.sh + (t % g.kw) * g.sw;
        T* to = packed + ((long(group) * taps + (flip ? taps - 1 - t : t)) * outer + u) * blocks * L + first;
        for (int v = 0; v < count; ++v) to[v] = from[v * si];
        for (int v = count; v < L; ++v) to[v] = 0;
      }
  }, double(g.count()));
}

}  // namespace rnx::inline RNX_ISA::host

namespace rnx::inline RNX_ISA {

template <> struct kernel<cpu, op::pack_weights> {
  template <class T>
  static void run(Stream, const op::pack_weights::Args<T>& a) {
    if (a.forward) host::pack(a.g, a.theta, a.forward, a.g.i, a.g.si, a.g.o, a.g.so, false);
    if (a.backward) host::pack(a.g, a.theta, a.backward, a.g.o, a.g.so, a.g.i, a.g.si, true);
  }
};

template <> struct kernel<cpu, op::unpack_gradient> {
  template <class T>
  static void run(Stream, const op::unpack_gradient::Args<T>& a) {
    const auto& g = a.g;
    host::parallel_for(long(g.groups) * g.o, [&](long task) {
      const long group = task / g.o, o = task % g.o;
      for (int i = 0; i < g.i; ++i)
        for (int kh = 0; kh < g.kh; ++kh)
          for (int kw = 0; kw < g.kw; ++kw) {
            const T gradient = a.dense[(((group * g.kh + kh) * g.kw + kw) * g.i + i) * g.o + o];
            a.dtheta[group * g.sg + o * g.so + i * g.si + kh * g.sh + kw * g.sw] += gradient;
          }
    }, double(g.count()));
  }
};

/// (kh, kw, c): channel c is group c, its theta at c sg.
template <> struct kernel<cpu, op::pack_depthwise> {
  template <class T>
  static void run(Stream, const op::pack_depthwise::Args<T>& a) {
    const auto& g = a.g;
    for (int kh = 0; kh < g.kh; ++kh)
      for (int kw = 0; kw < g.kw; ++kw)
        for (int c = 0; c < g.groups; ++c) a.packed[(long(kh) * g.kw + kw) * g.groups + c] = a.theta[c * g.sg + kh * g.sh + kw * g.sw];
  }
};

template <> struct kernel<cpu, op::unpack_depthwise_gradient> {
  template <class T>
  static void run(Stream, const op::unpack_depthwise_gradient::Args<T>& a) {
    const auto& g = a.g;
    for (int c = 0; c < g.groups; ++c)
      for (int kh = 0; kh < g.kh; ++kh)
        for (int kw = 0; kw < g.kw; ++kw) a.dtheta[c * g.sg + kh * g.sh + kw * g.sw] += a.dense[(long(kh) * g.kw + kw) * g.groups + c];
  }
};

template <> struct kernel<cpu, op::sum_bases> {
  template <class T>
  static void run(Stream, const op::sum_bases::Args<T>& a) {
    host::parallel_for(a.rows, [&](long r) {
      T* y = a.y + r * a.row;
      for (int k = 0; k < a.bases; ++k) {
        const T scale = a.scale ? a.scale[long(k) * a.rows + r] : T(1);
        const T* base = a.base + (std::size_t(k) * a.rows + r) * a.row;
        for (std::size_t i = 0; i < a.row; ++i) {
          const T term = scale * base[i];
          y[i] = k == 0 ? term : y[i] + term;
        }
      }
    }, double(a.bases) * a.rows * a.row);
  }
};

}  // namespace rnx::inline RNX_ISA
