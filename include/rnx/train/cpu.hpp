// CPU kernels of training alone.
#pragma once

#include "rnx/attack/cpu.hpp"
#include "rnx/train/op.hpp"

namespace rnx::inline RNX_ISA {

template <class T> struct kernel<cpu, op::perturb<T>> {
  static void run(Stream, const op::perturb<T>& a) {
    host::for_range(a.count, [&](std::size_t begin, std::size_t end) {
      RNX_SIMD for (std::size_t i = begin; i < end; ++i) a.y[i] =
          host::clamped(a.x[i] + a.delta[i], T(0), T(1));
    });
  }
};

template <class T> struct kernel<cpu, op::perturbation_step<T>> {
  static void run(Stream, const op::perturbation_step<T>& a) {
    const double radius = a.values ? a.values->eps : 0;
    if (a.norm == op::Norm::l2) return in_l2(a, radius);
    const T eps = T(radius);
    host::for_range(a.rows * a.features, [&](std::size_t begin, std::size_t end) {
      RNX_SIMD for (std::size_t i = begin; i < end; ++i) {
        a.delta[i] = host::clamped(a.delta[i] + eps * op::direction(a.gradient[i]), -eps, eps);
      }
    });
  }

 private:
  static void in_l2(const op::perturbation_step<T>& a, double eps) {
    host::parallel_for(
        long(a.rows),
        [&](long row) {
          const T* g = a.gradient + std::size_t(row) * a.features;
          T* to = a.delta + std::size_t(row) * a.features;
          const double step =
              eps / (host::row_norm(a.features, [&](std::size_t i) { return g[i]; }) + 1e-10);
          const auto moved = [&](std::size_t i) { return to[i] + step * g[i]; };
          const double length = host::row_norm(a.features, moved),
                       factor = length > eps ? eps / (length + 1e-7) : 1;
          for (std::size_t i = 0; i < a.features; ++i) to[i] = T(factor * moved(i));
        },
        double(a.rows) * a.features * 4);
  }
};

}  // namespace rnx::inline RNX_ISA
