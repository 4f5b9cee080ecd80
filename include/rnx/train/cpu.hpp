// CPU kernels of training alone.
#pragma once

#include "rnx/attack/op.hpp"
#include "rnx/kernels/cpu/reduce.hpp"
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
    const T eps = T(a.values ? a.values->eps : 0);
    host::for_range(a.count, [&](std::size_t begin, std::size_t end) {
      RNX_SIMD for (std::size_t i = begin; i < end; ++i) {
        a.delta[i] = host::clamped(a.delta[i] + eps * op::direction(a.gradient[i]), -eps, eps);
      }
    });
  }
};

}  // namespace rnx::inline RNX_ISA
