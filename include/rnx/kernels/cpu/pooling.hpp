// Pooling. Windows of max pooling are clipped to the map; average pooling divides by kernel^2,
// padding counted as zeros.
#pragma once

#include "rnx/kernels/cpu/reduce.hpp"
#include "rnx/kernels/op/pooling.hpp"

namespace rnx::inline RNX_ISA::host {

/// f(in, out, h0, h1, w0, w1): first element of the sample, output pixel number and clipped window,
/// for every output pixel of sample n.
template <class F> void for_windows(const geometry::Pool& g, F&& f) {
  for (int oh = 0; oh < g.y.h; ++oh)
    for (int ow = 0; ow < g.y.w; ++ow) {
      const int h = oh * g.stride - g.pad, w = ow * g.stride - g.pad;
      f(std::size_t(oh) * g.y.w + ow, larger(h, 0), smaller(h + g.kernel, g.x.h), larger(w, 0),
        smaller(w + g.kernel, g.x.w));
    }
}

/// Whether v takes the place of the best value so far: where it is larger, or a NaN, as in PyTorch.
template <class V> RNX_ALWAYS_INLINE inline auto better(V v, V best) {
  return (v > best) | (v != v);
}

/// The maximum of channels [j, j + N) of one window; the first pixel starts, so an infinity is a
/// value like any other.
template <int N, class T>
RNX_ALWAYS_INLINE inline vec<T, N> window_maximum(const T* x, const geometry::Map& m, int h0,
                                                  int h1, int w0, int w1) {
  vec<T, N> best = load<N>(x + (std::size_t(h0) * m.w + w0) * m.stride);
  for (int h = h0; h < h1; ++h)
    for (int w = w0; w < w1; ++w) {
      const vec<T, N> v = load<N>(x + (std::size_t(h) * m.w + w) * m.stride);
      best = better(v, best) ? v : best;
    }
  return best;
}
/// The number in its window, row by row, of the pixel that gives the maximum: the first of equal
/// ones, the last NaN.
template <int N, class T>
RNX_ALWAYS_INLINE inline vec<T, N> place_of_maximum(const T* x, const geometry::Map& m, int h0,
                                                    int h1, int w0, int w1) {
  vec<T, N> best = load<N>(x + (std::size_t(h0) * m.w + w0) * m.stride), place = {};
  T number = 0;
  for (int h = h0; h < h1; ++h)
    for (int w = w0; w < w1; ++w, ++number) {
      const vec<T, N> v = load<N>(x + (std::size_t(h) * m.w + w) * m.stride),
                      here = vec<T, N>{} + number;
      const auto taken = better(v, best);
      best = taken ? v : best;
      place = taken ? here : place;
    }
  return place;
}

template <class T> void zero_sample(T* p, const geometry::Map& m) {
  for (int row = 0; row < m.h * m.w; ++row)
    for (int c = 0; c < m.c; ++c) p[std::size_t(row) * m.stride + c] = 0;
}

/// f(n) for every sample.
template <class F> void for_samples(const geometry::Map& m, F&& f) {
  parallel_for(m.n, f, double(m.rows()) * m.c * 2);
}

}  // namespace rnx::inline RNX_ISA::host

namespace rnx::inline RNX_ISA {

template <class T> struct kernel<cpu, op::max_pool_forward<T>> {
  static void run(Stream, const op::max_pool_forward<T>& a) {
    using namespace host;
    const geometry::Pool g(a.x, a.y, a.window);
    for_samples(g.x, [&](long n) {
      const T* x = a.x.data + n * g.x.sample();
      T* y = a.y.data + n * g.y.sample();
      for_windows(g, [&](std::size_t out, int h0, int h1, int w0, int w1) {
        for_lanes<T>(g.x.c, [&](auto lanes, int j) RNX_ALWAYS_INLINE {
          constexpr int N = decltype(lanes)::value;
          store(y + out * g.y.stride + j, window_maximum<N>(x + j, g.x, h0, h1, w0, w1));
        });
      });
    });
  }
};

template <class T> struct kernel<cpu, op::max_pool_backward<T>> {
  static void run(Stream, const op::max_pool_backward<T>& a) {
    using namespace host;
    const geometry::Pool g(a.x, a.dy, a.window);
    for_samples(g.x, [&](long n) {
      const T* x = a.x.data + n * g.x.sample();
      const T* dy = a.dy.data + n * g.y.sample();
      T* dx = a.dx.data + n * a.dx.sample();
      zero_sample(dx, a.dx);
      for_windows(g, [&](std::size_t out, int h0, int h1, int w0, int w1) {
        for_lanes<T>(g.x.c, [&](auto lanes, int j) RNX_ALWAYS_INLINE {
          constexpr int N = decltype(lanes)::value;
          using V = vec<T, N>;
          const V place = place_of_maximum<N>(x + j, g.x, h0, h1, w0, w1);
          const V gradient = load<N>(dy + out * g.y.stride + j);
          T number = 0;
          for (int h = h0; h < h1; ++h)
            for (int w = w0; w < w1; ++w, ++number) {
              T* to = dx + (std::size_t(h) * g.x.w + w) * a.dx.stride + j;
              store(to, V(load<N>(to) + (place == number ? gradient : V{})));
            }
        });
      });
    });
  }
};

template <class T> struct kernel<cpu, op::average_pool_forward<T>> {
  static void run(Stream, const op::average_pool_forward<T>& a) {
    using namespace host;
    const geometry::Pool g(a.x, a.y, a.window);
    for_samples(g.x, [&](long n) {
      for_windows(g, [&](std::size_t out, int h0, int h1, int w0, int w1) {
        for_lanes<T>(g.x.c, [&](auto lanes, int j) RNX_ALWAYS_INLINE {
          constexpr int N = decltype(lanes)::value;
          vec<T, N> sum = {};
          for (int h = h0; h < h1; ++h)
            for (int w = w0; w < w1; ++w)
              sum += load<N>(a.x.data + n * g.x.sample() +
                             (std::size_t(h) * g.x.w + w) * g.x.stride + j);
          store(a.y.data + n * g.y.sample() + out * g.y.stride + j,
                vec<T, N>(sum / T(g.kernel * g.kernel)));
        });
      });
    });
  }
};

template <class T> struct kernel<cpu, op::average_pool_backward<T>> {
  static void run(Stream, const op::average_pool_backward<T>& a) {
    using namespace host;
    const geometry::Pool g(a.dx, a.dy, a.window);
    for_samples(g.x, [&](long n) {
      T* dx = a.dx.data + n * g.x.sample();
      zero_sample(dx, g.x);
      for_windows(g, [&](std::size_t out, int h0, int h1, int w0, int w1) {
        for_lanes<T>(g.x.c, [&](auto lanes, int j) RNX_ALWAYS_INLINE {
          constexpr int N = decltype(lanes)::value;
          const vec<T, N> share =
              load<N>(a.dy.data + n * g.y.sample() + out * g.y.stride + j) / T(g.kernel * g.kernel);
          for (int h = h0; h < h1; ++h)
            for (int w = w0; w < w1; ++w) {
              T* to = dx + (std::size_t(h) * g.x.w + w) * g.x.stride + j;
              store(to, vec<T, N>(load<N>(to) + share));
            }
        });
      });
    });
  }
};

template <class T> struct kernel<cpu, op::global_pool_forward<T>> {
  static void run(Stream, const op::global_pool_forward<T>& a) {
    using namespace host;
    const int pixels = a.x.h * a.x.w;
    for_samples(a.x, [&](long n) {
      for_lanes<T>(a.x.c, [&](auto lanes, int j) RNX_ALWAYS_INLINE {
        constexpr int N = decltype(lanes)::value;
        vec<T, N> sum = {};
        for (int p = 0; p < pixels; ++p)
          sum += load<N>(a.x.data + n * a.x.sample() + std::size_t(p) * a.x.stride + j);
        store(a.y.data + n * a.y.sample() + j, vec<T, N>(sum / T(pixels)));
      });
    });
  }
};

template <class T> struct kernel<cpu, op::global_pool_backward<T>> {
  static void run(Stream, const op::global_pool_backward<T>& a) {
    using namespace host;
    const int pixels = a.dx.h * a.dx.w;
    for_samples(a.dx, [&](long n) {
      for_lanes<T>(a.dx.c, [&](auto lanes, int j) RNX_ALWAYS_INLINE {
        constexpr int N = decltype(lanes)::value;
        const vec<T, N> share = load<N>(a.dy.data + n * a.dy.sample() + j) / T(pixels);
        for (int p = 0; p < pixels; ++p)
          store(a.dx.data + n * a.dx.sample() + std::size_t(p) * a.dx.stride + j, share);
      });
    });
  }
};

}  // namespace rnx::inline RNX_ISA
