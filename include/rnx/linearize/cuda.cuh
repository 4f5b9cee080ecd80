// ReLUs with trained slopes, and what a ReLU is worth, on CUDA.
#pragma once

#include <cmath>

#include "rnx/kernels/cuda/execute.cuh"
#include "rnx/linearize/cuda.hpp"

namespace rnx::inline RNX_ABI::gpu {

template <class T> struct element<op::sloped_relu_forward<T>> {
  op::sloped_relu_forward<T> a;
  std::size_t count() const { return active(a.x); }
  RNX_HD void operator()(std::size_t i) const {
    const std::size_t pixels = std::size_t(a.x.h) * a.x.w;
    const Split channel(i, a.x.c), pixel(channel.quotient, pixels);
    const T x = a.x.data[offset(a.x, i)],
            slope = a.slopes[channel.remainder * pixels + pixel.remainder];
    a.y.data[offset(a.y, i)] = x < 0 ? (T(1) - slope) * x : x;
  }
};
/// A thread for each slope takes its position in every sample, in their order.
template <class T> struct element<op::sloped_relu_backward<T>> {
  op::sloped_relu_backward<T> a;
  std::size_t count() const { return std::size_t(a.x.h) * a.x.w * a.x.c; }
  RNX_HD void operator()(std::size_t i) const {
    const std::size_t pixels = std::size_t(a.x.h) * a.x.w;
    const Split channel(i, a.x.c);
    const std::size_t pixel = channel.quotient, c = channel.remainder, at = c * pixels + pixel;
    const T slope = a.slopes[at];
    T sum = a.dslopes ? a.dslopes[at] : T(0);
    for (int n = 0; n < a.x.n; ++n) {
      const std::size_t row = n * pixels + pixel;
      const T x = a.x.data[row * a.x.stride + c], g = a.dy.data[row * a.dy.stride + c];
      if (x < 0) sum -= x * g;
      if (a.dx.data) a.dx.data[row * a.dx.stride + c] = x < 0 ? (T(1) - slope) * g : g;
    }
    if (a.dslopes) a.dslopes[at] = sum;
  }
};
template <class T> struct element<op::distance_sums<T>> {
  op::distance_sums<T> a;
  std::size_t count() const { return std::size_t(a.s.h) * a.s.w * a.s.c; }
  RNX_HD void operator()(std::size_t i) const {
    const std::size_t pixels = std::size_t(a.s.h) * a.s.w;
    const Split channel(i, a.s.c);
    const std::size_t pixel = channel.quotient, c = channel.remainder, at = c * pixels + pixel;
    double sum = double(a.sums[at]) + double(a.rest[at]);
    for (int n = 0; n < a.s.n; ++n) {
      const std::size_t row = n * pixels + pixel;
      sum += std::fabs(double(a.t.data[row * a.t.stride + c]) -
                       double(a.s.data[row * a.s.stride + c]));
    }
    a.sums[at] = T(sum);
    a.rest[at] = T(sum - double(T(sum)));
  }
};

}  // namespace rnx::inline RNX_ABI::gpu

namespace rnx::inline RNX_ABI {
RNX_CUDA_LINEARIZE(RNX_CUDA_DEFINE)
}  // namespace rnx::inline RNX_ABI
