// Optimizer steps, elementwise over flat ranges, with the order of operations of PyTorch's
// optimizers.
#pragma once

#include <cmath>

#include "rnx/kernels/cpu/vector.hpp"
#include "rnx/optim/op.hpp"

namespace rnx::inline RNX_ISA {

template <class T> struct kernel<cpu, op::sgd_step<T>> {
  static void run(Stream, const op::sgd_step<T>& a) {
    const T lr = T((a.values ? a.values->lr : 0) * a.lr_factor),
            momentum = T(a.values ? a.values->momentum : 0);
    const T clip = a.clip ? T(*a.clip) : T(1), decay = T(a.decay);
    host::for_range(a.count, [&](std::size_t begin, std::size_t end) {
      const T* g = a.gradient;
      T* p = a.parameter;
      T* v = a.velocity;
      if (!v || momentum == 0) {
        if (v) RNX_SIMD for (std::size_t i = begin; i < end; ++i) v[i] = clip * g[i] + decay * p[i];
        RNX_SIMD for (std::size_t i = begin; i < end; ++i) p[i] -=
            lr * (clip * g[i] + decay * p[i]);
        return;
      }
      const bool first = a.first, nesterov = a.nesterov;
      RNX_SIMD for (std::size_t i = begin; i < end; ++i) {
        const T step = clip * g[i] + decay * p[i];
        const T velocity = first ? step : momentum * v[i] + step;
        v[i] = velocity;
        p[i] -= lr * (nesterov ? step + momentum * velocity : velocity);
      }
    });
  }
};

template <class T> struct kernel<cpu, op::adam_step<T>> {
  static void run(Stream, const op::adam_step<T>& a) {
    const double lr = (a.values ? a.values->lr : 0) * a.lr_factor;
    const T clip = a.clip ? T(*a.clip) : T(1), decay = T(a.decay), beta1 = T(a.beta1),
            beta2 = T(a.beta2), eps = T(a.eps);
    const T rest1 = T(1 - a.beta1), rest2 = T(1 - a.beta2);
    const T step = T(lr / (1 - std::pow(a.beta1, double(a.t)))),
            root = T(std::sqrt(1 - std::pow(a.beta2, double(a.t))));
    host::for_range(a.count, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        const T g = clip * a.gradient[i] + decay * a.parameter[i];
        const T m = beta1 * a.m[i] + rest1 * g, v = beta2 * a.v[i] + rest2 * (g * g);
        a.m[i] = m;
        a.v[i] = v;
        a.parameter[i] -= step * (m / (std::sqrt(v) / root + eps));
      }
    });
  }
};

template <class T> struct kernel<cpu, op::ema_step<T>> {
  static void run(Stream, const op::ema_step<T>& a) {
    const T decay = T(a.decay), rest = T(1 - a.decay);
    host::for_range(a.count, [&](std::size_t begin, std::size_t end) {
      RNX_SIMD for (std::size_t i = begin; i < end; ++i) a.average[i] =
          decay * a.average[i] + rest * a.parameter[i];
    });
  }
};

template <class T> struct kernel<cpu, op::square_sum<T>> {
  static void run(Stream, const op::square_sum<T>& a) {
    using namespace host;
    constexpr std::size_t piece = 65536;
    constexpr int L = vector_lanes<double>;
    const long pieces = long((a.count + piece - 1) / piece);
    double* partial = scratch<double>(slot_partial, pieces);
    parallel_for(pieces, [&](long k) {
      const T* x = a.x + k * piece;
      const std::size_t count = smaller(piece, a.count - k * piece);
      vec<double> sums = {};
      std::size_t i = 0;
      for (; i + L <= count; i += L) sums += load_double<L>(x + i) * load_double<L>(x + i);
      double sum = 0;
      for (int v = 0; v < L; ++v) sum += sums[v];
      for (; i < count; ++i) sum += double(x[i]) * double(x[i]);
      partial[k] = sum;
    });
    double sum = 0;
    for (long k = 0; k < pieces; ++k) sum += partial[k];
    *a.sum += sum;
  }
};

template <class T> struct kernel<cpu, op::clip_factor<T>> {
  static void run(Stream, const op::clip_factor<T>& a) {
    const double factor = a.limit / (std::sqrt(*a.sum) + 1e-6);
    *a.clip = factor > 1 ? 1 : factor;  // a NaN stays one
  }
};

}  // namespace rnx::inline RNX_ISA
