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

template <class T> struct body<op::depthwise_backward_weight<T>> {
  template <class E> static void run(const E& on, const op::depthwise_backward_weight<T>& a) {
    weight_gradient(on, a.sizes(), a.x.data, a.dy.data, a.dw, true);
  }
};

}  // namespace rnx::inline RNX_ABI::gpu

namespace rnx::inline RNX_ABI {
RNX_CUDA_DEPTHWISE(RNX_CUDA_DEFINE)
}  // namespace rnx::inline RNX_ABI
