// Weight gradient of a convolution: dw(group, kh, kw, i, o) = sum over n, oh, ow of x(n, oh s - pad
// + kh, ow s - pad + kw, i) dy(n, oh, ow, o). A matrix product where the convolution is one; else
// rows of output pixels are cut into fixed chunks that are added in order.
#pragma once

#include "rnx/kernels/cuda/convolution.cuh"
#include "rnx/kernels/cuda/convolution_weight.hpp"

namespace rnx::inline RNX_ABI::gpu {

/// Adds one chunk's rows (n, oh) for one element of dw. in, out: channels of one group; a depthwise
/// convolution has in = out = 1.
template <class T> struct WeightGradient {
  geometry::Conv2d g;
  const T* x;
  const T* dy;
  T* partial;  // (chunks, elements)
  std::size_t elements, chunks;
  bool depthwise;  // elements are (kh, kw, c) instead of (group, kh, kw, i, o)
  RNX_HD void operator()(std::size_t t) const {
    const Split e(t, elements);
    int kh, kw, i, o;  // i, o: channels of the maps
    if (depthwise) {
      const Split c(e.remainder, g.x.c), column(c.quotient, g.kw);
      kh = int(column.quotient);
      kw = int(column.remainder);
      i = o = int(c.remainder);
    } else {
      const Split so(e.remainder, g.out()), si(so.quotient, g.in()), column(si.quotient, g.kw),
          row(column.quotient, g.kh);
      kh = int(row.remainder);
      kw = int(column.remainder);
      i = int(row.quotient) * g.in() + int(si.remainder);
      o = int(row.quotient) * g.out() + int(so.remainder);
    }
    const std::size_t rows = std::size_t(g.y.n) * g.y.h, end = rows * (e.quotient + 1) / chunks;
    T sum = 0;
    for (std::size_t r = rows * e.quotient / chunks; r < end; ++r) {
      const Split s(r, g.y.h);
      const int h = int(s.remainder) * g.stride - g.pad_h + kh;
      if (h < 0 || h >= g.x.h) continue;
      for (int ow = 0; ow < g.y.w; ++ow) {
        const int w = ow * g.stride - g.pad_w + kw;
        if (w >= 0 && w < g.x.w)
          sum += x[offset(g.x, s.quotient, h, w, i)] * dy[(r * g.y.w + ow) * g.y.stride + o];
      }
    }
    partial[t] = sum;
  }
};
template <class T> struct AddChunks {
  const T* partial;
  std::size_t elements, chunks;
  T* sum;
  RNX_HD void operator()(std::size_t e) const {
    T all = partial[e];
    for (std::size_t k = 1; k < chunks; ++k) all += partial[k * elements + e];
    sum[e] = all;
  }
};

template <class T, class E>
void weight_gradient(const E& on, const geometry::Conv2d& g, const T* x, const T* dy, T* dw,
                     bool depthwise) {
  const std::size_t elements = std::size_t(g.kh) * g.kw * g.x.c * (depthwise ? 1 : g.out()),
                    rows = std::size_t(g.y.n) * g.y.h;
  const std::size_t chunks =
      clamped((std::size_t(1) << 18) / larger(elements, std::size_t(1)), std::size_t(1),
              larger(smaller(rows, std::size_t(256)), std::size_t(1)));
  if (chunks == 1)
    return on.each(elements, WeightGradient<T>{g, x, dy, dw, elements, chunks, depthwise});
  const Scratch<T, E> partial(on, chunks * elements);
  on.each(chunks * elements,
          WeightGradient<T>{g, x, dy, partial.data(), elements, chunks, depthwise});
  on.each(elements, AddChunks<T>{partial.data(), elements, chunks, dw});
}

template <class T> struct body<op::conv2d_backward_weight<T>> {
  template <class E> static void run(const E& on, const op::conv2d_backward_weight<T>& a) {
    const MatrixProduct product(a.sizes());
    const int in = product.taps * a.x.c, out = a.dy.c;
    if (product.fits && product.rows > 0)
      on.gemm(true, in, out, product.rows, a.x.data, product.ldx, a.dy.data, product.ldy, a.dw,
              out);
    else
      weight_gradient(on, a.sizes(), a.x.data, a.dy.data, a.dw, false);
  }
};

}  // namespace rnx::inline RNX_ABI::gpu

namespace rnx::inline RNX_ABI {
RNX_CUDA_CONVOLUTION_WEIGHT(RNX_CUDA_DEFINE)
}  // namespace rnx::inline RNX_ABI
