// Depthwise convolution: y(n, oh, ow, c) = sum over kh, kw of x(n, oh s - pad + kh, ow s - pad +
// kw, c) w(kh, kw, c), and its gradients.
#pragma once

#include "rnx/kernels/cuda/convolution_weight.cuh"
#include "rnx/kernels/cuda/depthwise.hpp"

namespace rnx::inline RNX_ABI::gpu {

template <class T> struct element<op::depthwise_forward<T>> {
  op::depthwise_forward<T> a;
  std::size_t count() const { return active(a.y); }
  RNX_HD void operator()(std::size_t e) const {
    const geometry::Conv2d g = a.sizes();
    const Position p(g.y, e);
    T sum = 0;
    for (int kh = 0; kh < g.kh; ++kh)
      for (int kw = 0; kw < g.kw; ++kw) {
        const int h = p.h * g.stride - g.pad_h + kh, w = p.w * g.stride - g.pad_w + kw;
        if (h >= 0 && h < g.x.h && w >= 0 && w < g.x.w)
          sum += a.x.data[offset(g.x, p.n, h, w, p.c)] *
                 a.w[(std::size_t(kh) * g.kw + kw) * g.x.c + p.c];
      }
    Epilogue<T>{a.bias, a.scale, a.accumulate}.store(a.y.data[offset(g.y, e)], sum, p.c);
  }
};

template <class T> struct element<op::depthwise_backward_input<T>> {
  op::depthwise_backward_input<T> a;
  std::size_t count() const { return active(a.dx); }
  RNX_HD void operator()(std::size_t e) const {
    const geometry::Conv2d g = a.sizes();
    const Position p(g.x, e);
    T sum = 0;
    for (int kh = g.kh - 1; kh >= 0; --kh)
      for (int kw = g.kw - 1; kw >= 0; --kw) {
        const int h = p.h + g.pad_h - kh, w = p.w + g.pad_w - kw, oh = h / g.stride,
                  ow = w / g.stride;
        if (h >= 0 && w >= 0 && oh * g.stride == h && ow * g.stride == w && oh < g.y.h &&
            ow < g.y.w)
          sum += a.dy.data[offset(g.y, p.n, oh, ow, p.c)] *
                 a.w[(std::size_t(kh) * g.kw + kw) * g.x.c + p.c];
      }
    a.dx.data[offset(g.x, e)] = sum;
  }
};

/// One chunk's rows (n, oh) for one element of dw (kh, kw, c).
template <class T> struct DepthwiseWeightGradient {
  geometry::Conv2d g;
  const T* x;
  const T* dy;
  T* partial;  // (chunks, elements)
  std::size_t elements, chunks;
  RNX_HD void operator()(std::size_t t) const {
    const Split e(t, elements), c(e.remainder, g.x.c), tap(c.quotient, g.kw);
    const std::size_t rows = std::size_t(g.y.n) * g.y.h, end = rows * (e.quotient + 1) / chunks;
    T sum = 0;
    for (std::size_t r = rows * e.quotient / chunks; r < end; ++r) {
      const Split s(r, g.y.h);
      const int h = int(s.remainder) * g.stride - g.pad_h + int(tap.quotient);
      if (h < 0 || h >= g.x.h) continue;
      for (int ow = 0; ow < g.y.w; ++ow) {
        const int w = ow * g.stride - g.pad_w + int(tap.remainder);
        if (w >= 0 && w < g.x.w)
          sum += x[offset(g.x, s.quotient, h, w, int(c.remainder))] *
                 dy[(r * g.y.w + ow) * g.y.stride + c.remainder];
      }
    }
    partial[t] = sum;
  }
};
template <class T> struct body<op::depthwise_backward_weight<T>> {
  template <class E> static void run(const E& on, const op::depthwise_backward_weight<T>& a) {
    const geometry::Conv2d g = a.sizes();
    const std::size_t elements = std::size_t(g.kh) * g.kw * g.x.c,
                      rows = std::size_t(g.y.n) * g.y.h;
    if (elements == 0) return;
    const std::size_t chunks = clamped((std::size_t(1) << 18) / elements, std::size_t(1),
                                       clamped(rows, std::size_t(1), std::size_t(256)));
    const Scratch<T, E> partial(on, chunks * elements);
    on.each(chunks * elements,
            DepthwiseWeightGradient<T>{g, a.x.data, a.dy.data, partial.data(), elements, chunks});
    on.each(elements, AddChunks<T>{partial.data(), elements, chunks, a.dw});
  }
};

}  // namespace rnx::inline RNX_ABI::gpu

namespace rnx::inline RNX_ABI {
RNX_CUDA_DEPTHWISE(RNX_CUDA_DEFINE)
}  // namespace rnx::inline RNX_ABI
