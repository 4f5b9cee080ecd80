// Batch normalisation on CUDA. Statistics are summed in double: a mean first, then squared
// deviations from it.
#pragma once

#include <cmath>

#include "rnx/kernels/cuda/batch_norm.hpp"
#include "rnx/kernels/cuda/reduce.cuh"

namespace rnx::inline RNX_ABI::gpu {

/// Sum over rows of x - mean (mean null: of x), to the power 1 or 2.
template <class T, bool Squared> struct Deviations {
  static constexpr int terms = 1;
  const T* x;
  int stride;
  const T* mean;
  RNX_SHARED void operator()(std::size_t c, std::size_t row, double* acc) const {
    const double d = double(x[row * stride + c]) - (Squared ? double(mean[c]) : 0.0);
    acc[0] += Squared ? d * d : d;
  }
};
/// to(c) = sum / count, or to(c) += sum
template <class T, bool Add> struct StoreSum {
  T* to;
  double count;
  RNX_SHARED void operator()(std::size_t c, const double* sums) const {
    if (Add)
      to[c] += T(sums[0]);
    else
      to[c] = T(sums[0] / count);
  }
};

template <class T> struct body<op::batch_norm_statistics<T>> {
  template <class E> static void run(const E& on, const op::batch_norm_statistics<T>& a) {
    const double m = double(a.x.rows());
    sum_segments(on, a.x.c, a.x.rows(), true, Deviations<T, false>{a.x.data, a.x.stride, nullptr},
                 StoreSum<T, false>{a.mean, m});
    sum_segments(on, a.x.c, a.x.rows(), true, Deviations<T, true>{a.x.data, a.x.stride, a.mean},
                 StoreSum<T, false>{a.var, m});
  }
};
/// db += sum over samples and pixels of dy
template <class T> struct body<op::bias_backward<T>> {
  template <class E> static void run(const E& on, const op::bias_backward<T>& a) {
    sum_segments(on, a.dy.c, a.dy.rows(), true,
                 Deviations<T, false>{a.dy.data, a.dy.stride, nullptr}, StoreSum<T, true>{a.db, 1});
  }
};

/// Per channel: factor = gamma / sqrt(var + eps), constant = sums0 / m, slope = sums1 / (m sqrt(var
/// + eps))
template <class T> struct ChannelFactors {
  const T* var;
  const T* gamma;
  const T* sums;
  double eps, m;
  std::size_t c;
  T* factor;  // (3, c) with sums, else (1, c)
  RNX_HD void operator()(std::size_t i) const {
    const double inverse = 1 / std::sqrt(double(var[i]) + eps);
    factor[i] = T((gamma ? double(gamma[i]) : 1.0) * inverse);
    if (sums) {
      factor[c + i] = T(sums[i] / m);
      factor[2 * c + i] = T(sums[c + i] / m * inverse);
    }
  }
};

template <class T> struct Normalize {
  op::batch_norm_normalize<T> a;
  const T* factor;
  RNX_HD void operator()(std::size_t e) const {
    const std::size_t c = Split(e, a.x.c).remainder;
    a.y.data[offset(a.y, e)] =
        (a.x.data[offset(a.x, e)] - a.mean[c]) * factor[c] + (a.beta ? a.beta[c] : T(0));
  }
};
template <class T> struct body<op::batch_norm_normalize<T>> {
  template <class E> static void run(const E& on, const op::batch_norm_normalize<T>& a) {
    const std::size_t c = a.x.c;
    const Scratch<T, E> factor(on, c);
    on.each(c, ChannelFactors<T>{a.var, a.gamma, nullptr, double(a.eps), 1, c, factor.data()});
    on.each(active(a.x), Normalize<T>{a, factor.data()});
  }
};

template <class T> struct NormTerms {
  static constexpr int terms = 2;
  op::batch_norm_reduce<T> a;
  RNX_SHARED void operator()(std::size_t c, std::size_t row, double* acc) const {
    const double dy = a.dy.data[row * a.dy.stride + c];
    acc[0] += dy;
    acc[1] += dy * (double(a.x.data[row * a.x.stride + c]) - double(a.mean[c]));
  }
  /// Also what is done with the sums.
  RNX_SHARED void operator()(std::size_t c, const double* sums) const {
    a.sums[c] = T(sums[0]);
    a.sums[a.x.c + c] = T(sums[1] / std::sqrt(double(a.var[c]) + double(a.eps)));
  }
};
template <class T> struct body<op::batch_norm_reduce<T>> {
  template <class E> static void run(const E& on, const op::batch_norm_reduce<T>& a) {
    sum_segments(on, a.x.c, a.x.rows(), true, NormTerms<T>{a}, NormTerms<T>{a});
  }
};

/// dx = f (dy - s0 / m - (x - mean) s1 / (m sqrt(var + eps))) with f = gamma / sqrt(var + eps)
template <class T> struct NormBackward {
  op::batch_norm_backward<T> a;
  const T* factor;
  RNX_HD void operator()(std::size_t e) const {
    const std::size_t c = Split(e, a.dy.c).remainder, channels = a.dy.c;
    T d = a.dy.data[offset(a.dy, e)];
    if (a.sums)
      d = d - factor[channels + c] -
          (a.x.data[offset(a.x, e)] - a.mean[c]) * factor[2 * channels + c];
    a.dx.data[offset(a.dx, e)] = factor[c] * d;
  }
};
template <class T> struct body<op::batch_norm_backward<T>> {
  template <class E> static void run(const E& on, const op::batch_norm_backward<T>& a) {
    const std::size_t c = a.dy.c;
    const Scratch<T, E> factor(on, 3 * c);
    on.each(c, ChannelFactors<T>{a.var, a.gamma, a.sums, double(a.eps), double(a.dy.rows()), c,
                                 factor.data()});
    on.each(active(a.dy), NormBackward<T>{a, factor.data()});
  }
};

template <class T> struct element<op::batch_norm_update<T>> {
  op::batch_norm_update<T> a;
  std::size_t count() const { return a.c; }
  RNX_HD void operator()(std::size_t i) const {
    a.running_mean[i] = (1 - a.weight) * a.running_mean[i] + a.weight * a.mean[i];
    a.running_var[i] = (1 - a.weight) * a.running_var[i] + a.weight * (a.var[i] * a.correction);
  }
};

}  // namespace rnx::inline RNX_ABI::gpu

namespace rnx::inline RNX_ABI {
RNX_CUDA_BATCH_NORM(RNX_CUDA_DEFINE)
}  // namespace rnx::inline RNX_ABI
