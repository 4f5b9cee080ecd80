// Elementwise operations. Dense maps are one flat array; others are handled pixel by pixel, active
// channels only.
#pragma once

#include "rnx/kernels/cpu/random.hpp"
#include "rnx/kernels/cpu/reduce.hpp"
#include "rnx/kernels/op/pointwise.hpp"

namespace rnx::inline RNX_ISA::host {

/// A mask (c, h, w) in the maps' order (h, w, c): once for the batch that shares it.
template <class T> const T* pixel_mask(const T* mask, std::size_t pixels, int c) {
  T* to = scratch<T>(slot_weights, pixels * c);
  for (std::size_t p = 0; p < pixels; ++p)
    for (int i = 0; i < c; ++i) to[p * c + i] = mask[i * pixels + p];
  return to;
}

}  // namespace rnx::inline RNX_ISA::host

namespace rnx::inline RNX_ISA {

template <class F, class T> struct kernel<cpu, op::pointwise_forward<F, T>> {
  static void run(Stream, const op::pointwise_forward<F, T>& a) {
    const int c = a.x.c;
    host::for_runs(a.x.rows(), c, a.x.stride == c && a.y.stride == c,
                   [&](std::size_t row, std::size_t at, int count) {
                     const T* x = a.x.data + row * a.x.stride + at;
                     T* y = a.y.data + row * a.y.stride + at;
                     RNX_SIMD for (int i = 0; i < count; ++i) y[i] = F::forward(x[i]);
                   });
  }
};

template <class F, class T> struct kernel<cpu, op::pointwise_backward<F, T>> {
  static void run(Stream, const op::pointwise_backward<F, T>& a) {
    const int c = a.v.c;
    const bool dense = a.v.stride == c && a.dy.stride == c && a.dx.stride == c;
    host::for_runs(a.v.rows(), c, dense, [&](std::size_t row, std::size_t at, int count) {
      const T* v = a.v.data + row * a.v.stride + at;
      const T* dy = a.dy.data + row * a.dy.stride + at;
      T* dx = a.dx.data + row * a.dx.stride + at;
      RNX_SIMD for (int i = 0; i < count; ++i) {
        const T slope = F::derivative(v[i]);
        dx[i] = slope == 0 ? T(0) : dy[i] * slope;
      }
    });
  }
};

template <class T> struct kernel<cpu, op::masked_relu_forward<T>> {
  static void run(Stream, const op::masked_relu_forward<T>& a) {
    const std::size_t pixels = std::size_t(a.x.h) * a.x.w;
    const T* masks = host::pixel_mask(a.mask, pixels, a.x.c);
    host::for_rows(a.x.rows(), a.x.c, [&](std::size_t row) {
      const T* x = a.x.data + row * a.x.stride;
      const T* mask = masks + row % pixels * a.x.c;
      T* y = a.y.data + row * a.y.stride;
      RNX_SIMD for (int i = 0; i < a.x.c; ++i) y[i] = mask[i] != 0 && x[i] <= 0 ? T(0) : x[i];
    });
  }
};

template <class T> struct kernel<cpu, op::masked_relu_backward<T>> {
  static void run(Stream, const op::masked_relu_backward<T>& a) {
    const std::size_t pixels = std::size_t(a.y.h) * a.y.w;
    const T* masks = host::pixel_mask(a.mask, pixels, a.y.c);
    host::for_rows(a.y.rows(), a.y.c, [&](std::size_t row) {
      const T* y = a.y.data + row * a.y.stride;
      const T* mask = masks + row % pixels * a.y.c;
      const T* dy = a.dy.data + row * a.dy.stride;
      T* dx = a.dx.data + row * a.dx.stride;
      RNX_SIMD for (int i = 0; i < a.y.c; ++i) dx[i] = mask[i] != 0 && y[i] <= 0 ? T(0) : dy[i];
    });
  }
};

template <class T> struct kernel<cpu, op::pack_mask<T>> {
  static void run(Stream, const op::pack_mask<T>& a) {
    const std::size_t pixels = a.to.rows();
    for (std::size_t p = 0; p < pixels; ++p)
      for (int i = 0; i < a.to.c; ++i)
        std::memset(a.to.data + p * a.to.stride + i, a.mask[i * pixels + p] == 0 ? 0 : 0xff,
                    sizeof(T));
  }
};

template <class T> struct kernel<cpu, op::affine_channels<T>> {
  static void run(Stream, const op::affine_channels<T>& a) {
    host::for_rows(a.x.rows(), a.x.c, [&](std::size_t row) {
      const T* x = a.x.data + row * a.x.stride;
      T* y = a.y.data + row * a.y.stride;
      if (a.shift)
        for (int i = 0; i < a.x.c; ++i) y[i] = (x[i] - a.shift[i]) / a.divisor[i];
      else
        for (int i = 0; i < a.x.c; ++i) y[i] = x[i] / a.divisor[i];
    });
  }
};

/// An element's number counts samples, pixels and the channels of the maximum (x.stride): equal for
/// every choice of active channels.
template <class T> struct kernel<cpu, op::dropout<T>> {
  static void run(Stream, const op::dropout<T>& a) {
    const rng::Stream stream(a.values ? a.values->seed : 0, Purpose::dropout,
                             (a.values ? a.values->draw : 0) + a.draw, a.site);
    const T scale = T(1 / (1 - a.p));
    const std::size_t pixels = std::size_t(a.x.h) * a.x.w;
    const std::uint64_t first = a.first_sample * pixels;
    host::for_rows(a.x.rows(), 8.0 * a.x.c, [&](std::size_t row) {
      host::Uniforms uniform{stream};
      const std::uint64_t number =
          first + (a.samples ? a.samples[row / pixels] * pixels + row % pixels : row);
      const T* x = a.x.data + row * a.x.stride;
      T* y = a.y.data + row * a.y.stride;
      for (int i = 0; i < a.x.c; ++i) {
        const bool kept = uniform(number * a.x.stride + i) >= a.p;
        y[i] = kept ? x[i] * scale : x[i] - x[i];
      }
    });
  }
};

}  // namespace rnx::inline RNX_ISA
