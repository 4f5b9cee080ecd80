// Convolution and its input gradient. What is one matrix product (linear layers, 1x1 kernels) goes
// through cuBLAS; every other geometry runs the reference kernel: one thread sums one output in the
// order kh, kw, i.
#pragma once

#include "rnx/kernels/cuda/convolution.hpp"
#include "rnx/kernels/cuda/execute.cuh"

namespace rnx::inline RNX_ABI::gpu {

/// y (rows, out) = x (rows, taps in) w: a 1x1 kernel on every pixel, or a kernel as large as its
/// dense map.
struct MatrixProduct {
  bool fits = false;
  int rows = 0, taps = 1;
  long ldx = 0, ldy = 0;
  explicit MatrixProduct(const geometry::Conv2d& g) {
    if (g.groups != 1 || g.pad_h != 0 || g.pad_w != 0) return;
    const bool whole = g.kh == g.x.h && g.kw == g.x.w && (g.x.stride == g.x.c || g.kh * g.kw == 1),
               point = g.kh == 1 && g.kw == 1 && g.stride == 1;
    fits = whole || point;
    rows = whole ? g.x.n : int(g.x.rows());
    taps = whole ? g.kh * g.kw : 1;
    ldx = whole ? long(g.x.sample()) : g.x.stride;
    ldy = g.y.stride;
  }
};

RNX_SHARED int padded(int channels) {
  return (channels + geometry::lanes - 1) / geometry::lanes * geometry::lanes;
}

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

template <class T> struct ConvolveForward {
  op::conv2d_forward<T> a;
  RNX_HD void operator()(std::size_t e) const {
    const geometry::Conv2d g = a.sizes();
    const Position p(g.y, e);
    const int in = g.in(), out = g.out(), group = p.c / out, pitch = padded(out);
    T sum = 0;
    for (int kh = 0; kh < g.kh; ++kh) {
      const int h = p.h * g.stride - g.pad_h + kh;
      if (h < 0 || h >= g.x.h) continue;
      for (int kw = 0; kw < g.kw; ++kw) {
        const int w = p.w * g.stride - g.pad_w + kw;
        if (w < 0 || w >= g.x.w) continue;
        const T* x = a.x.data + offset(g.x, p.n, h, w, group * in);
        const T* row =
            a.w + ((std::size_t(group) * g.kh + kh) * g.kw + kw) * in * pitch + p.c % out;
        for (int i = 0; i < in; ++i) sum += x[i] * row[std::size_t(i) * pitch];
      }
    }
    Epilogue<T>{a.bias, a.scale, a.accumulate}.store(a.y.data[offset(g.y, e)], sum, p.c);
  }
};

template <class T> struct ConvolveBackward {
  op::conv2d_backward_input<T> a;
  RNX_HD void operator()(std::size_t e) const {
    const geometry::Conv2d g = a.sizes();
    const Position p(g.x, e);
    const int in = g.in(), out = g.out(), group = p.c / in, pitch = padded(in);
    T sum = 0;
    for (int kh = g.kh - 1; kh >= 0; --kh) {
      const int h = p.h + g.pad_h - kh, oh = h / g.stride;
      if (h < 0 || oh * g.stride != h || oh >= g.y.h) continue;
      for (int kw = g.kw - 1; kw >= 0; --kw) {
        const int w = p.w + g.pad_w - kw, ow = w / g.stride;
        if (w < 0 || ow * g.stride != w || ow >= g.y.w) continue;
        const T* dy = a.dy.data + offset(g.y, p.n, oh, ow, group * out);
        const T* row =
            a.w +
            ((std::size_t(group) * g.kh + (g.kh - 1 - kh)) * g.kw + (g.kw - 1 - kw)) * out * pitch +
            p.c % in;
        for (int o = 0; o < out; ++o) sum += dy[o] * row[std::size_t(o) * pitch];
      }
    }
    a.dx.data[offset(g.x, e)] = sum;
  }
};

template <class T> struct body<op::conv2d_forward<T>> {
  template <class E> static void run(const E& on, const op::conv2d_forward<T>& a) {
    const MatrixProduct product(a.sizes());
    const std::size_t count = active(a.y);
    if (count == 0) return;
    if (!product.fits) return on.each(count, ConvolveForward<T>{a});
    const int out = a.y.c, k = product.taps * a.x.c;
    const Epilogue<T> epilogue{a.bias, a.scale, a.accumulate};
    if (a.accumulate) {
      const Scratch<T, E> sum(on, count);
      on.gemm(false, product.rows, out, k, a.x.data, product.ldx, a.w, padded(out), sum.data(),
              out);
      return on.each(count, FinishProduct<T>{a.y, epilogue, sum.data(), out, a.y.data});
    }
    on.gemm(false, product.rows, out, k, a.x.data, product.ldx, a.w, padded(out), a.y.data,
            product.ldy);
    if (a.bias || a.scale)
      on.each(count, FinishProduct<T>{a.y, epilogue, a.y.data, product.ldy, a.y.data});
  }
};

template <class T> struct body<op::conv2d_backward_input<T>> {
  template <class E> static void run(const E& on, const op::conv2d_backward_input<T>& a) {
    const MatrixProduct product(a.sizes());
    const int in = a.dx.c, out = a.dy.c;
    if (active(a.dx) == 0) return;
    if (!product.fits) return on.each(active(a.dx), ConvolveBackward<T>{a});
    for (int t = 0; t < product.taps; ++t)
      on.gemm(false, product.rows, in, out, a.dy.data, product.ldy,
              a.w + std::size_t(product.taps - 1 - t) * out * padded(in), padded(in),
              a.dx.data + long(t) * in, product.ldx);
  }
};

}  // namespace rnx::inline RNX_ABI::gpu

namespace rnx::inline RNX_ABI {
RNX_CUDA_CONVOLUTION(RNX_CUDA_DEFINE)
}  // namespace rnx::inline RNX_ABI
