// CPU kernels of the search for tutors.
#pragma once

#include "rnx/distill/cpu.hpp"
#include "rnx/distill/formulas.hpp"

namespace rnx::inline RNX_ISA {

template <class T> struct kernel<cpu, op::tutor_draw<T>> {
  static void run(Stream, const op::tutor_draw<T>& a) {
    const StepValues* v = a.values;
    const rng::Stream noise(v ? v->seed : 0, Purpose::gumbel, (v ? v->draw : 0) + a.draw, a.site);
    const double tau = host::temperature_of(v);
    host::for_rows(a.layers, 128.0 * a.tutors, [&](std::size_t i) {
      const std::size_t row = i * a.tutors;
      double* z = host::scratch<double>(host::slot_runs, a.tutors);
      int best = 0;
      for (int j = 0; j < a.tutors; ++j) {
        z[j] = a.one_hot ? double(a.logits[row + j])
                         : (a.logits[row + j] + noise.gumbel(row + j)) / tau;
        if (z[best] == z[best] && !(z[j] <= z[best])) best = j;
      }
      const double top = z[best], one = top == top ? 1 : top;
      double sum = 0;
      for (int j = 0; j < a.tutors; ++j)
        sum += z[j] = a.one_hot ? (j == best ? one : 0) : std::exp(z[j] - top);
      for (int j = 0; j < a.tutors; ++j) a.g[row + j] = T(z[j] / sum);
    });
  }
};

template <class T> struct kernel<cpu, op::tutor_draw_backward<T>> {
  static void run(Stream, const op::tutor_draw_backward<T>& a) {
    const double tau = host::temperature_of(a.values);
    host::for_rows(a.layers, 8.0 * a.tutors, [&](std::size_t i) {
      const T* g = a.g + i * a.tutors;
      const T* dg = a.dg + i * a.tutors;
      double mean = 0;
      for (int j = 0; j < a.tutors; ++j) mean += double(g[j]) * dg[j];
      for (int j = 0; j < a.tutors; ++j)
        a.dlogits[i * a.tutors + j] += T(g[j] * (dg[j] - mean) / tau);
    });
  }
};

template <class T> struct kernel<cpu, op::tutor_distance<T>> {
  static void run(Stream, const op::tutor_distance<T>& a) {
    host::for_rows(std::size_t(a.rows) * a.tutors, 3.0 * a.length, [&](std::size_t k) {
      const std::size_t r = k / a.tutors, j = k % a.tutors;
      const T* s = a.s + r * a.length;
      const T* t = a.t + (j * a.rows + r) * a.length;
      a.d[k] = a.g[j] == T(0)
                   ? T(0)
                   : T(std::sqrt(
                         host::sum_of(a.length, [&](auto width, std::size_t p) RNX_ALWAYS_INLINE {
                           constexpr int N = decltype(width)::value;
                           const auto e = host::load_double<N>(s + p) - host::load_double<N>(t + p);
                           return e * e;
                         })));
    });
  }
};

template <class T> struct kernel<cpu, op::tutor_value<T>> {
  static void run(Stream, const op::tutor_value<T>& a) {
    host::for_rows(a.rows, 2.0 * a.layers * a.tutors, [&](std::size_t r) {
      const double sum = op::tutor_sum(a, r);
      const std::size_t samples = std::size_t(a.samples);
      for (std::size_t k = r * samples; k < (r + 1) * samples; ++k) a.value[k] = T(a.scale * sum);
    });
    double sum = 0;
    for (int r = 0; r < a.rows; ++r) sum += a.value[std::size_t(r) * a.samples];
    *a.mean = T(sum / a.rows);
  }
};

template <class T> struct kernel<cpu, op::tutor_maps_backward<T>> {
  static void run(Stream, const op::tutor_maps_backward<T>& a) {
    // pieces of a row: where the whole batch is one row, it still has work for every thread
    constexpr std::size_t piece = 1024;
    const std::size_t pieces = (a.length + piece - 1) / piece;
    host::for_rows(
        a.rows * pieces, 3.0 * a.tutors * host::smaller(a.length, piece), [&](std::size_t task) {
          const std::size_t r = task / pieces, begin = task % pieces * piece,
                            end = host::smaller(a.length, begin + piece);
          const T* s = a.s + r * a.length;
          const T* d = a.d + r * a.tutors;
          T* ds = a.ds + r * a.length;
          for (std::size_t p = begin; p < end; ++p) ds[p] = 0;
          const double joint = a.joint ? op::joint_distance(a.g, d, a.tutors) : 0;
          for (int j = 0; j < a.tutors; ++j) {
            if (d[j] == T(0) || (a.joint && joint == 0)) continue;
            const T c =
                T(a.weight * (a.joint ? double(a.g[j]) * a.g[j] / joint : double(a.g[j]) / d[j]));
            const T* t = a.t + (std::size_t(j) * a.rows + r) * a.length;
            RNX_SIMD for (std::size_t p = begin; p < end; ++p) ds[p] += c * (s[p] - t[p]);
          }
        });
  }
};

template <class T> struct kernel<cpu, op::tutor_weights_backward<T>> {
  static void run(Stream, const op::tutor_weights_backward<T>& a) {
    host::for_rows(a.layers, 4.0 * a.tutors * a.rows, [&](std::size_t i) {
      const T* g = a.g + i * a.tutors;
      double* sum = host::scratch<double>(host::slot_runs, a.tutors);
      for (int j = 0; j < a.tutors; ++j) sum[j] = 0;
      for (int r = 0; r < a.rows; ++r) {
        const T* d = a.d + (i * a.rows + r) * a.tutors;
        const double joint = a.joint ? op::joint_distance(g, d, a.tutors) : 0;
        for (int j = 0; j < a.tutors; ++j)
          if (d[j] != T(0) && (!a.joint || joint != 0))
            sum[j] += a.joint ? double(g[j]) * d[j] * d[j] / joint : double(d[j]);
      }
      for (int j = 0; j < a.tutors; ++j) a.dg[i * a.tutors + j] += T(a.weight * sum[j]);
    });
  }
};

}  // namespace rnx::inline RNX_ISA
