// CPU kernels of linearized networks.
#pragma once

#include <cmath>

#include "rnx/kernels/cpu/reduce.hpp"
#include "rnx/linearize/op.hpp"

namespace rnx::inline RNX_ISA {

template <class T> struct kernel<cpu, op::sloped_relu_forward<T>> {
  static void run(Stream, const op::sloped_relu_forward<T>& a) {
    const std::size_t pixels = std::size_t(a.x.h) * a.x.w;
    host::for_rows(a.x.rows(), a.x.c, [&](std::size_t row) {
      const T *x = a.x.data + row * a.x.stride, *s = a.slopes + row % pixels;
      T* y = a.y.data + row * a.y.stride;
      for (int c = 0; c < a.x.c; ++c)
        y[c] = x[c] < 0 ? (T(1) - s[std::size_t(c) * pixels]) * x[c] : x[c];
    });
  }
};

template <class T> struct kernel<cpu, op::sloped_relu_backward<T>> {
  static void run(Stream, const op::sloped_relu_backward<T>& a) {
    const std::size_t pixels = std::size_t(a.x.h) * a.x.w;
    host::for_rows(pixels, a.x.c, [&](std::size_t pixel) {  // sample by sample, in one order
      for (int i = 0; i < a.x.n; ++i) {
        const std::size_t row = std::size_t(i) * pixels + pixel;
        const T *x = a.x.data + row * a.x.stride, *dy = a.dy.data + row * a.dy.stride;
        T* dx = a.dx.data ? a.dx.data + row * a.dx.stride : nullptr;
        for (int c = 0; c < a.x.c; ++c) {
          const std::size_t at = std::size_t(c) * pixels + pixel;
          const T slope = a.slopes[at], g = dy[c];  // dx may be dy
          if (a.dslopes && x[c] < 0) a.dslopes[at] -= x[c] * g;
          if (dx) dx[c] = x[c] < 0 ? (T(1) - slope) * g : g;
        }
      }
    });
  }
};

template <class T> struct kernel<cpu, op::distance_sums<T>> {
  static void run(Stream, const op::distance_sums<T>& a) {
    const std::size_t pixels = std::size_t(a.s.h) * a.s.w, channels = std::size_t(a.s.c);
    host::for_rows(pixels, 2.0 * a.s.n * a.s.c, [&](std::size_t pixel) {
      double* sum = host::scratch<double>(host::slot_runs, channels);
      for (std::size_t c = 0; c < channels; ++c)
        sum[c] = double(a.sums[c * pixels + pixel]) + double(a.rest[c * pixels + pixel]);
      for (int i = 0; i < a.s.n; ++i) {
        const std::size_t row = std::size_t(i) * pixels + pixel;
        const T *t = a.t.data + row * a.t.stride, *s = a.s.data + row * a.s.stride;
        for (std::size_t c = 0; c < channels; ++c) sum[c] += std::abs(double(t[c]) - double(s[c]));
      }
      for (std::size_t c = 0; c < channels; ++c) {
        const T high = T(sum[c]);
        a.sums[c * pixels + pixel] = high;
        a.rest[c * pixels + pixel] = T(sum[c] - double(high));
      }
    });
  }
};

}  // namespace rnx::inline RNX_ISA
