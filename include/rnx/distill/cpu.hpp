// CPU kernels of room distill. Rows are independent; sums over rows run in their order: the same
// bits for every number of threads.
#pragma once

#include <cmath>

#include "rnx/distill/formulas.hpp"
#include "rnx/kernels.hpp"

namespace rnx::inline RNX_ISA::host {

/// f(target offset, source offset, weight) for one sample, in a fixed order.
template <class F>
void for_sources(Resize method, const geometry::Map& x, const geometry::Map& y, F&& f) {
  for (int oh = 0; oh < y.h; ++oh) {
    const op::Sources a = op::sources(method, oh, x.h, y.h);
    for (int ow = 0; ow < y.w; ++ow) {
      const op::Sources b = op::sources(method, ow, x.w, y.w);
      for (int i = 0; i < a.count; ++i)
        for (int j = 0; j < b.count; ++j)
          f((std::size_t(oh) * y.w + ow) * y.stride,
            (std::size_t(a.first + i) * x.w + b.first + j) * x.stride, a[i] * b[j]);
    }
  }
}

/// sum over k of term(width, k), in double.
template <class Term> RNX_ALWAYS_INLINE inline double sum_of(std::size_t length, Term&& term) {
  constexpr int L = vector_lanes<double>;
  vec<double> lanes = {};
  std::size_t k = 0;
  for (; k + L <= length; k += L) lanes += term(std::integral_constant<int, L>{}, k);
  double sum = 0;
  for (int i = 0; i < L; ++i) sum += lanes[i];
  for (; k < length; ++k) sum += term(std::integral_constant<int, 1>{}, k);
  return sum;
}

inline double temperature_of(const StepValues* values) { return values ? values->temperature : 1; }

}  // namespace rnx::inline RNX_ISA::host

namespace rnx::inline RNX_ISA {

template <class T> struct kernel<cpu, op::resize_map<T>> {
  static void run(Stream, const op::resize_map<T>& a) {
    host::parallel_for(
        a.x.n,
        [&](long n) {
          const T* x = a.x.data + n * a.x.sample();
          T* y = a.y.data + n * a.y.sample();
          for (int p = 0; p < a.y.h * a.y.w; ++p) y[std::size_t(p) * a.y.stride] = 0;
          host::for_sources(a.method, a.x, a.y,
                            [&](std::size_t to, std::size_t from, double weight) {
                              y[to] += T(weight * x[from]);
                            });
        },
        16.0 * a.y.rows());
  }
};

template <class T> struct kernel<cpu, op::resize_map_backward<T>> {
  static void run(Stream, const op::resize_map_backward<T>& a) {
    host::parallel_for(
        a.dx.n,
        [&](long n) {
          const T* dy = a.dy.data + n * a.dy.sample();
          T* dx = a.dx.data + n * a.dx.sample();
          host::for_sources(a.method, a.dx, a.dy,
                            [&](std::size_t to, std::size_t from, double weight) {
                              dx[from] += T(weight * dy[to]);
                            });
        },
        16.0 * a.dy.rows());
  }
};

template <class T> struct kernel<cpu, op::normalize_rows<T>> {
  static void run(Stream, const op::normalize_rows<T>& a) {
    host::for_rows(a.rows, 3.0 * a.length, [&](std::size_t r) {
      const T* x = a.px + r * a.length;
      T* y = a.py + r * a.length;
      const double norm =
          std::sqrt(host::sum_of(a.length, [&](auto width, std::size_t k) RNX_ALWAYS_INLINE {
            const auto v = host::load_double<decltype(width)::value>(x + k);
            return v * v;
          }));
      if (a.norm) a.norm[r] = T(norm);
      const T factor = T(1 / host::larger(norm, a.eps));
      RNX_SIMD for (std::size_t k = 0; k < a.length; ++k) y[k] = x[k] * factor;
    });
  }
};

template <class T> struct kernel<cpu, op::normalize_rows_backward<T>> {
  static void run(Stream, const op::normalize_rows_backward<T>& a) {
    host::for_rows(a.rows, 4.0 * a.length, [&](std::size_t r) {
      const T* y = a.py + r * a.length;
      const T* dy = a.dy + r * a.length;
      T* dx = a.dx + r * a.length;
      const bool moves = a.norm[r] >= a.eps;  // below eps the factor is a constant
      const T along =
          !moves ? T(0)
                 : T(host::sum_of(a.length, [&](auto width, std::size_t k) RNX_ALWAYS_INLINE {
                     constexpr int N = decltype(width)::value;
                     return host::load_double<N>(y + k) * host::load_double<N>(dy + k);
                   }));
      const T factor = T(1 / (moves ? double(a.norm[r]) : a.eps));
      RNX_SIMD for (std::size_t k = 0; k < a.length; ++k) dx[k] = (dy[k] - y[k] * along) * factor;
    });
  }
};

}  // namespace rnx::inline RNX_ISA
