// Operations that move and add memory.
#pragma once

#include <algorithm>

#include "rnx/kernels/cpu/reduce.hpp"
#include "rnx/kernels/op/memory.hpp"

namespace rnx::inline RNX_ISA {

template <class T> struct kernel<cpu, op::fill<T>> {
  static void run(Stream, const op::fill<T>& a) {
    host::for_range(a.count, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) a.y[i] = a.value;
    });
  }
};

template <class T> struct kernel<cpu, op::copy<T>> {
  static void run(Stream, const op::copy<T>& a) {
    const int c = a.from.c;
    host::for_runs(a.from.rows(), c, a.from.stride == c && a.to.stride == c,
                   [&](std::size_t row, std::size_t at, int count) {
                     const T* x = a.from.data + row * a.from.stride + at;
                     T* y = a.to.data + row * a.to.stride + at;
                     RNX_SIMD for (int i = 0; i < count; ++i) y[i] = x[i];
                   });
  }
};

}  // namespace rnx::inline RNX_ISA

namespace rnx::inline RNX_ISA::host {

/// Sample to_row(i) of `to` = sample from_row(i) of `from`, for n samples.
template <class T, class FromRow, class ToRow>
void copy_samples(const op::Map<const T>& from, const op::Map<T>& to, int n, FromRow&& from_row,
                  ToRow&& to_row) {
  const std::size_t pixels = std::size_t(from.h) * from.w;
  for_rows(std::size_t(n), double(pixels) * from.c, [&](std::size_t i) {
    const T* x = from.data + from_row(i) * from.sample();
    T* y = to.data + to_row(i) * to.sample();
    for (std::size_t p = 0; p < pixels; ++p)
      std::copy_n(x + p * from.stride, from.c, y + p * to.stride);
  });
}

}  // namespace rnx::inline RNX_ISA::host

namespace rnx::inline RNX_ISA {

template <class T> struct kernel<cpu, op::gather_rows<T>> {
  static void run(Stream, const op::gather_rows<T>& a) {
    host::copy_samples(
        a.from, a.to, a.to.n, [&](std::size_t i) { return std::size_t(a.rows[i]); },
        [](std::size_t i) { return i; });
  }
};

template <class T> struct kernel<cpu, op::scatter_rows<T>> {
  static void run(Stream, const op::scatter_rows<T>& a) {
    host::copy_samples(
        a.from, a.to, a.from.n, [](std::size_t i) { return i; },
        [&](std::size_t i) { return std::size_t(a.rows[i]); });
  }
};

template <class T> struct kernel<cpu, op::accumulate<T>> {
  static void run(Stream, const op::accumulate<T>& a) {
    const int c = a.from.c;
    host::for_runs(a.from.rows(), c, a.from.stride == c && a.to.stride == c,
                   [&](std::size_t row, std::size_t at, int count) {
                     const T* x = a.from.data + row * a.from.stride + at;
                     T* y = a.to.data + row * a.to.stride + at;
                     RNX_SIMD for (int i = 0; i < count; ++i) y[i] += x[i];
                   });
  }
};

template <class T> struct kernel<cpu, op::add<T>> {
  static void run(Stream, const op::add<T>& args) {
    const int c = args.y.c;
    const bool dense = args.a.stride == c && args.b.stride == c && args.y.stride == c;
    host::for_runs(args.y.rows(), c, dense, [&](std::size_t row, std::size_t at, int count) {
      const T* a = args.a.data + row * args.a.stride + at;
      const T* b = args.b.data + row * args.b.stride + at;
      T* y = args.y.data + row * args.y.stride + at;
      RNX_SIMD for (int i = 0; i < count; ++i) y[i] = a[i] + b[i];
    });
  }
};

template <class T> struct kernel<cpu, op::axpy<T>> {
  static void run(Stream, const op::axpy<T>& a) {
    host::for_range(a.count, [&](std::size_t begin, std::size_t end) {
      RNX_SIMD for (std::size_t i = begin; i < end; ++i) a.y[i] += a.alpha * a.x[i];
    });
  }
};

template <class T> struct kernel<cpu, op::scale_channels<T>> {
  static void run(Stream, const op::scale_channels<T>& a) {
    const std::size_t pixels = std::size_t(a.x.h) * a.x.w;
    host::for_rows(a.x.rows(), a.x.c, [&](std::size_t row) {
      const T* x = a.x.data + row * a.x.stride;
      const T* s = a.s.data + row / pixels * a.s.sample();
      T* y = a.y.data + row * a.y.stride;
      RNX_SIMD for (int i = 0; i < a.x.c; ++i) y[i] = x[i] * s[i];
    });
  }
};

template <class T> struct kernel<cpu, op::scale_channels_gate<T>> {
  static void run(Stream, const op::scale_channels_gate<T>& a) {
    using namespace host;
    const int pixels = a.x.h * a.x.w;
    parallel_for(
        a.x.n,
        [&](long n) {
          const T* x = a.x.data + n * a.x.sample();
          const T* dy = a.dy.data + n * a.dy.sample();
          for_lanes<T>(a.x.c, [&](auto lanes, int j) RNX_ALWAYS_INLINE {
            constexpr int N = decltype(lanes)::value;
            vec<T, N> sum = {};
            for (long p = 0; p < pixels; ++p)
              sum += load<N>(x + p * a.x.stride + j) * load<N>(dy + p * a.dy.stride + j);
            store(a.ds.data + n * a.ds.sample() + j, sum);
          });
        },
        double(a.x.rows()) * a.x.c);
  }
};

template <class T> struct kernel<cpu, op::pad_shortcut<T>> {
  static void run(Stream, const op::pad_shortcut<T>& a) {
    const int count = host::smaller(a.x.c, a.y.c - a.before);
    host::for_rows(a.y.rows(), a.y.c, [&](std::size_t row) {
      const std::size_t w = row % a.y.w, h = row / a.y.w % a.y.h, n = row / a.y.w / a.y.h;
      const T* x = a.x.data + n * a.x.sample() + (h * a.stride * a.x.w + w * a.stride) * a.x.stride;
      T* y = a.y.data + row * a.y.stride;
      for (int i = 0; i < a.before; ++i) y[i] = 0;
      for (int i = 0; i < count; ++i) y[a.before + i] = x[i];
      for (int i = a.before + count; i < a.y.c; ++i) y[i] = 0;
    });
  }
};

template <class T> struct kernel<cpu, op::pad_shortcut_backward<T>> {
  static void run(Stream, const op::pad_shortcut_backward<T>& a) {
    const int count = host::smaller(a.dx.c, a.dy.c - a.before), s = a.stride;
    host::for_rows(a.dx.rows(), a.dx.c, [&](std::size_t row) {
      const int w = int(row % a.dx.w), h = int(row / a.dx.w % a.dx.h);
      const std::size_t n = row / a.dx.w / a.dx.h;
      T* dx = a.dx.data + row * a.dx.stride;
      const bool reached = h % s == 0 && w % s == 0 && h / s < a.dy.h && w / s < a.dy.w;
      const T* dy = reached ? a.dy.data + n * a.dy.sample() +
                                  (std::size_t(h / s) * a.dy.w + w / s) * a.dy.stride + a.before
                            : nullptr;
      for (int i = 0; i < a.dx.c; ++i) dx[i] = reached && i < count ? dy[i] : T(0);
    });
  }
};

template <class T> struct kernel<cpu, op::attention_map<T>> {
  static void run(Stream, const op::attention_map<T>& a) {
    using namespace host;
    constexpr int L = vector_lanes<T>;
    for_rows(a.x.rows(), a.x.c, [&](std::size_t row) {
      const T* x = a.x.data + row * a.x.stride;
      vec<T> squares = {};
      int i = 0;
      for (; i + L <= a.x.c; i += L) squares += load<L>(x + i) * load<L>(x + i);
      T sum = 0;
      for (int k = 0; k < L; ++k) sum += squares[k];
      for (; i < a.x.c; ++i) sum += x[i] * x[i];
      a.f[row] = sum;
    });
  }
};

template <class T> struct kernel<cpu, op::attention_map_backward<T>> {
  static void run(Stream, const op::attention_map_backward<T>& a) {
    host::for_rows(a.x.rows(), a.x.c, [&](std::size_t row) {
      const T* x = a.x.data + row * a.x.stride;
      T* dx = a.dx.data + row * a.dx.stride;
      const T factor = 2 * a.df[row];
      RNX_SIMD for (int i = 0; i < a.x.c; ++i) dx[i] += factor * x[i];
    });
  }
};

}  // namespace rnx::inline RNX_ISA
