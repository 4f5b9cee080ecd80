// Pooling on CUDA. Windows are clipped to the map; backward gathers: one thread adds what one input
// element receives, in the order of the windows.
#pragma once

#include "rnx/kernels/cuda/execute.cuh"
#include "rnx/kernels/cuda/pooling.hpp"

namespace rnx::inline RNX_ABI::gpu {

/// Input pixels [h0, h1) x [w0, w1) of the window of output pixel (oh, ow).
struct Window {
  int h0, h1, w0, w1;
  RNX_SHARED Window(const geometry::Pool& g, int oh, int ow) {
    const int h = oh * g.stride - g.pad, w = ow * g.stride - g.pad;
    h0 = larger(h, 0);
    h1 = smaller(h + g.kernel, g.x.h);
    w0 = larger(w, 0);
    w1 = smaller(w + g.kernel, g.x.w);
  }
};
/// Output pixels [h0, h1) x [w0, w1) whose windows hold input pixel (h, w).
struct Covering {
  int h0, h1, w0, w1;
  RNX_SHARED Covering(const geometry::Pool& g, int h, int w) {
    h0 = first(h + g.pad, g);
    h1 = smaller((h + g.pad) / g.stride + 1, g.y.h);
    w0 = first(w + g.pad, g);
    w1 = smaller((w + g.pad) / g.stride + 1, g.y.w);
  }
  RNX_SHARED static int first(int at, const geometry::Pool& g) {
    return at < g.kernel ? 0 : (at - g.kernel) / g.stride + 1;
  }
};

/// The first maximum of one window, or its last NaN: as in PyTorch.
template <class T>
RNX_SHARED std::size_t place_of_maximum(const geometry::Pool& g, const T* x, std::size_t n, int oh,
                                        int ow, int c) {
  const Window window(g, oh, ow);
  std::size_t best = offset(g.x, n, window.h0, window.w0, c);
  T top = x[best];
  for (int h = window.h0; h < window.h1; ++h)
    for (int w = window.w0; w < window.w1; ++w) {
      const std::size_t at = offset(g.x, n, h, w, c);
      const T v = x[at];
      if (v > top || v != v) {
        top = v;
        best = at;
      }
    }
  return best;
}

template <class T> struct element<op::max_pool_forward<T>> {
  op::max_pool_forward<T> a;
  std::size_t count() const { return active(a.y); }
  RNX_HD void operator()(std::size_t e) const {
    const geometry::Pool g(a.x, a.y, a.window);
    const Position p(a.y, e);
    a.y.data[offset(a.y, e)] = a.x.data[place_of_maximum(g, a.x.data, p.n, p.h, p.w, p.c)];
  }
};
template <class T> struct element<op::max_pool_backward<T>> {
  op::max_pool_backward<T> a;
  std::size_t count() const { return active(a.x); }
  RNX_HD void operator()(std::size_t e) const {
    const geometry::Pool g(a.x, a.dy, a.window);
    const Position p(a.x, e);
    const Covering windows(g, p.h, p.w);
    const std::size_t here = offset(a.x, e);
    T sum = 0;
    for (int oh = windows.h0; oh < windows.h1; ++oh)
      for (int ow = windows.w0; ow < windows.w1; ++ow)
        if (place_of_maximum(g, a.x.data, p.n, oh, ow, p.c) == here)
          sum += a.dy.data[offset(a.dy, p.n, oh, ow, p.c)];
    a.dx.data[offset(a.dx, e)] = sum;
  }
};

template <class T> struct element<op::average_pool_forward<T>> {
  op::average_pool_forward<T> a;
  std::size_t count() const { return active(a.y); }
  RNX_HD void operator()(std::size_t e) const {
    const geometry::Pool g(a.x, a.y, a.window);
    const Position p(a.y, e);
    const Window window(g, p.h, p.w);
    T sum = 0;
    for (int h = window.h0; h < window.h1; ++h)
      for (int w = window.w0; w < window.w1; ++w) sum += a.x.data[offset(a.x, p.n, h, w, p.c)];
    a.y.data[offset(a.y, e)] = sum / T(a.window.kernel * a.window.kernel);
  }
};
template <class T> struct element<op::average_pool_backward<T>> {
  op::average_pool_backward<T> a;
  std::size_t count() const { return active(a.dx); }
  RNX_HD void operator()(std::size_t e) const {
    const geometry::Pool g(a.dx, a.dy, a.window);
    const Position p(a.dx, e);
    const Covering windows(g, p.h, p.w);
    T sum = 0;
    for (int oh = windows.h0; oh < windows.h1; ++oh)
      for (int ow = windows.w0; ow < windows.w1; ++ow)
        sum += a.dy.data[offset(a.dy, p.n, oh, ow, p.c)] / T(a.window.kernel * a.window.kernel);
    a.dx.data[offset(a.dx, e)] = sum;
  }
};

template <class T> struct element<op::global_pool_forward<T>> {
  op::global_pool_forward<T> a;
  std::size_t count() const { return std::size_t(a.x.n) * a.x.c; }
  RNX_HD void operator()(std::size_t i) const {
    const Split s(i, a.x.c);
    const T* x = a.x.data + s.quotient * a.x.sample() + s.remainder;
    T sum = 0;
    for (int p = 0; p < a.x.h * a.x.w; ++p) sum += x[std::size_t(p) * a.x.stride];
    a.y.data[s.quotient * a.y.sample() + s.remainder] = sum / T(a.x.h * a.x.w);
  }
};
template <class T> struct element<op::global_pool_backward<T>> {
  op::global_pool_backward<T> a;
  std::size_t count() const { return active(a.dx); }
  RNX_HD void operator()(std::size_t i) const {
    const Position p(a.dx, i);
    a.dx.data[offset(a.dx, i)] = a.dy.data[p.n * a.dy.sample() + p.c] / T(a.dx.h * a.dx.w);
  }
};

}  // namespace rnx::inline RNX_ABI::gpu

namespace rnx::inline RNX_ABI {
RNX_CUDA_POOLING(RNX_CUDA_DEFINE)
}  // namespace rnx::inline RNX_ABI
