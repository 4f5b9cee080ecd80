// Convolution and its input gradient: one matrix product for each group, of the patches under the
// kernel with the packed weights.
#pragma once

#include "rnx/kernels/cuda/convolution.hpp"
#include "rnx/kernels/cuda/patches.cuh"

namespace rnx::inline RNX_ABI::gpu {

/// y = [y +] scale sum [+ bias]: every step rounds.
template <class T> struct Epilogue {
  const T* bias;
  const T* scale;
  bool accumulate;
  RNX_SHARED void store(T& y, T sum, int o) const {
    if (scale) sum = product(sum, scale[o]);
    if (accumulate) sum = y + sum;
    y = bias ? sum + bias[o] : sum;
  }
};
/// The same behind a matrix product.
template <class T> struct FinishProduct {
  geometry::Map m;  // of y
  Epilogue<T> epilogue;
  const T* sum;
  long ld;
  T* y;
  RNX_HD void operator()(std::size_t e) const {
    const Split s(e, m.c);
    epilogue.store(y[s.quotient * m.stride + s.remainder], sum[s.quotient * ld + s.remainder],
                   int(s.remainder));
  }
};

/// to (rows, channels of all groups) = patches x packed weights; `pitch` between rows of `to`.
template <class T, class E, class PatchesOf>
void multiply_patches(const E& on, int groups, int columns, const T* w, T* to, long pitch,
                      const PatchesOf& patches_of) {
  for (int group = 0; group < groups; ++group) {
    const Patches<T> p = patches_of(group);
    const T* weights = w + std::size_t(group) * p.columns() * padded(columns);
    for_patches(on, p, patch_samples(p), [&](int first, int samples, const T* rows, long ld) {
      on.gemm(Gemm<T>{.m = samples * p.rows(),
                      .n = columns,
                      .k = p.columns(),
                      .a = rows,
                      .lda = ld,
                      .b = weights,
                      .ldb = padded(columns),
                      .c = to + std::size_t(first) * p.rows() * pitch + group * columns,
                      .ldc = pitch});
    });
  }
}

template <class T> struct body<op::conv2d_forward<T>> {
  template <class E> static void run(const E& on, const op::conv2d_forward<T>& a) {
    const geometry::Conv2d g = a.sizes();
    const std::size_t count = active(a.y);
    if (count == 0) return;
    const Epilogue<T> epilogue{a.bias, a.scale, a.accumulate};
    const Scratch<T, E> sum(on, a.accumulate ? count : 0);
    T* to = a.accumulate ? sum.data() : a.y.data;
    const long pitch = a.accumulate ? a.y.c : a.y.stride;
    multiply_patches(on, g.groups, g.out(), a.w, to, pitch,
                     [&](int group) { return forward_patches(g, a.x.data, group); });
    if (a.accumulate || a.bias || a.scale)
      on.each(count, FinishProduct<T>{a.y, epilogue, to, pitch, a.y.data});
  }
};

template <class T> struct body<op::conv2d_backward_input<T>> {
  template <class E> static void run(const E& on, const op::conv2d_backward_input<T>& a) {
    const geometry::Conv2d g = a.sizes();
    if (active(a.dx) == 0) return;
    if (g.groups == 1 && forward_patches(g, a.dx.data, 0).are_all_taps()) return each_tap(on, a);
    multiply_patches(on, g.groups, g.in(), a.w, a.dx.data, long(a.dx.stride),
                     [&](int group) { return backward_patches(g, a.dy.data, group); });
  }

 private:
  /// Where one kernel covers the map, each pixel of dx meets one tap of it.
  template <class E> static void each_tap(const E& on, const op::conv2d_backward_input<T>& a) {
    const int taps = a.dx.h * a.dx.w, in = a.dx.c, out = a.dy.c;
    for (int tap = 0; tap < taps; ++tap)
      on.gemm(Gemm<T>{.m = a.dy.n,
                      .n = in,
                      .k = out,
                      .a = a.dy.data,
                      .lda = a.dy.stride,
                      .b = a.w + std::size_t(taps - 1 - tap) * out * padded(in),
                      .ldb = padded(in),
                      .c = a.dx.data + std::size_t(tap) * a.dx.stride,
                      .ldc = long(a.dx.sample())});
  }
};

}  // namespace rnx::inline RNX_ABI::gpu

namespace rnx::inline RNX_ABI {
RNX_CUDA_CONVOLUTION(RNX_CUDA_DEFINE)
}  // namespace rnx::inline RNX_ABI
