// Optimizer steps on CUDA, elementwise over flat ranges, with the order of operations of PyTorch's
// optimizers.
#pragma once

#include <cmath>

#include "rnx/kernels/cuda/reduce.cuh"
#include "rnx/optim/cuda.hpp"

namespace rnx::inline RNX_ABI::gpu {

template <class T> struct element<op::sgd_step<T>> {
  op::sgd_step<T> a;
  std::size_t count() const { return a.count; }
  RNX_HD void operator()(std::size_t i) const {
    const T lr = T((a.values ? a.values->lr : 0) * a.lr_factor),
            momentum = T(a.values ? a.values->momentum : 0);
    const T p = a.parameter[i],
            step = (a.clip ? T(*a.clip) : T(1)) * a.gradient[i] + T(a.decay) * p;
    T v = step;
    if (a.velocity && momentum != 0 && !a.first) v = momentum * a.velocity[i] + step;
    if (a.velocity) a.velocity[i] = v;
    a.parameter[i] = p - lr * (a.nesterov && a.velocity ? step + momentum * v : v);
  }
};

template <class T> struct AdamStep {
  op::adam_step<T> a;
  double bias1;  // 1 - beta1^t
  T root;        // sqrt(1 - beta2^t)
  RNX_HD void operator()(std::size_t i) const {
    const T step = T((a.values ? a.values->lr : 0) * a.lr_factor / bias1), p = a.parameter[i];
    const T g = (a.clip ? T(*a.clip) : T(1)) * a.gradient[i] + T(a.decay) * p;
    const T m = T(a.beta1) * a.m[i] + T(1 - a.beta1) * g,
            v = T(a.beta2) * a.v[i] + T(1 - a.beta2) * (g * g);
    a.m[i] = m;
    a.v[i] = v;
    a.parameter[i] = p - step * (m / (std::sqrt(v) / root + T(a.eps)));
  }
};
template <class T> struct body<op::adam_step<T>> {
  template <class E> static void run(const E& on, const op::adam_step<T>& a) {
    on.each(a.count, AdamStep<T>{a, 1 - std::pow(a.beta1, double(a.t)),
                                 T(std::sqrt(1 - std::pow(a.beta2, double(a.t))))});
  }
};

template <class T> struct element<op::ema_step<T>> {
  op::ema_step<T> a;
  std::size_t count() const { return a.count; }
  RNX_HD void operator()(std::size_t i) const {
    a.average[i] = T(a.decay) * a.average[i] + T(1 - a.decay) * a.parameter[i];
  }
};

template <class T> struct Squares {
  static constexpr int terms = 1;
  const T* x;
  RNX_SHARED void operator()(std::size_t, std::size_t j, double* acc) const {
    acc[0] += double(x[j]) * double(x[j]);
  }
};
struct AddTo {
  double* sum;
  RNX_SHARED void operator()(std::size_t, const double* sums) const { *sum += sums[0]; }
};
template <class T> struct body<op::square_sum<T>> {
  template <class E> static void run(const E& on, const op::square_sum<T>& a) {
    sum_segments(on, 1, a.count, false, Squares<T>{a.x}, AddTo{a.sum});
  }
};

template <class T> struct element<op::clip_factor<T>> {
  op::clip_factor<T> a;
  std::size_t count() const { return 1; }
  RNX_HD void operator()(std::size_t) const {
    const double factor = a.limit / (std::sqrt(*a.sum) + 1e-6);
    *a.clip = factor > 1 ? 1 : factor;  // a NaN stays one
  }
};

}  // namespace rnx::inline RNX_ABI::gpu

namespace rnx::inline RNX_ABI {
RNX_CUDA_OPTIM(RNX_CUDA_DEFINE)
}  // namespace rnx::inline RNX_ABI
