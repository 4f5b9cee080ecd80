// Batch normalisation. Statistics are summed in double: a mean first, then squared deviations from
// it.
#pragma once

#include <cmath>

#include "rnx/kernels/cpu/reduce.hpp"
#include "rnx/kernels/op/batch_norm.hpp"
#include "rnx/kernels/op/convolution.hpp"

namespace rnx::inline RNX_ISA {

template <class T> struct kernel<cpu, op::batch_norm_statistics<T>> {
  static void run(Stream, const op::batch_norm_statistics<T>& a) {
    using namespace host;
    const std::size_t rows = a.x.rows();
    double* sums = scratch<double>(slot_channels, a.x.c);
    channel_sums<1>(
        rows, a.x.c, sums, [&](auto lanes, std::size_t row, int j, auto* acc) RNX_ALWAYS_INLINE {
          acc[0] += load_double<decltype(lanes)::value>(a.x.data + row * a.x.stride + j);
        });
    for (int c = 0; c < a.x.c; ++c) a.mean[c] = T(sums[c] / double(rows));
    channel_sums<1>(
        rows, a.x.c, sums, [&](auto lanes, std::size_t row, int j, auto* acc) RNX_ALWAYS_INLINE {
          constexpr int N = decltype(lanes)::value;
          const auto d =
              load_double<N>(a.x.data + row * a.x.stride + j) - load_double<N>(a.mean + j);
          acc[0] += d * d;
        });
    for (int c = 0; c < a.x.c; ++c) a.var[c] = T(sums[c] / double(rows));
  }
};

template <class T> struct kernel<cpu, op::batch_norm_normalize<T>> {
  static void run(Stream, const op::batch_norm_normalize<T>& a) {
    using namespace host;
    const int c = a.x.c;
    T* factor = scratch<T>(slot_channels, 2 * c);
    T* shift = factor + c;
    for (int i = 0; i < c; ++i) {
      factor[i] =
          T((a.gamma ? double(a.gamma[i]) : 1.0) / std::sqrt(double(a.var[i]) + double(a.eps)));
      shift[i] = a.beta ? a.beta[i] : T(0);
    }
    for_rows(a.x.rows(), c, [&](std::size_t row) {
      const T* x = a.x.data + row * a.x.stride;
      T* y = a.y.data + row * a.y.stride;
      for_lanes<T>(c, [&](auto lanes, int j) RNX_ALWAYS_INLINE {
        constexpr int N = decltype(lanes)::value;
        store(y + j, normalized_value<T>(load<N>(x + j), load<N>(a.mean + j), load<N>(factor + j),
                                         load<N>(shift + j)));
      });
    });
  }
};

template <class T> struct kernel<cpu, op::batch_norm_reduce<T>> {
  static void run(Stream, const op::batch_norm_reduce<T>& a) {
    using namespace host;
    const int c = a.x.c;
    double* sums = scratch<double>(slot_channels, 2 * c);
    channel_sums<2>(
        a.x.rows(), c, sums, [&](auto lanes, std::size_t row, int j, auto* acc) RNX_ALWAYS_INLINE {
          constexpr int N = decltype(lanes)::value;
          const auto dy = load_double<N>(a.dy.data + row * a.dy.stride + j);
          acc[0] += dy;
          acc[1] +=
              dy * (load_double<N>(a.x.data + row * a.x.stride + j) - load_double<N>(a.mean + j));
        });
    for (int i = 0; i < c; ++i) {
      a.sums[i] = T(sums[i]);
      a.sums[c + i] = T(sums[c + i] / std::sqrt(double(a.var[i]) + double(a.eps)));
    }
  }
};

/// dx = f (dy - s0 / m - (x - mean) s1 / (m sqrt(var + eps))) with f = gamma / sqrt(var + eps)
template <class T> struct kernel<cpu, op::batch_norm_backward<T>> {
  static void run(Stream, const op::batch_norm_backward<T>& a) {
    using namespace host;
    const int c = a.dy.c;
    const double m = double(a.dy.rows());
    T* factor = scratch<T>(slot_channels, 3 * c);
    T *constant = factor + c, *slope = constant + c;
    for (int i = 0; i < c; ++i) {
      const double inverse = 1 / std::sqrt(double(a.var[i]) + double(a.eps));
      factor[i] = T((a.gamma ? double(a.gamma[i]) : 1.0) * inverse);
      constant[i] = a.sums ? T(a.sums[i] / m) : T(0);
      slope[i] = a.sums ? T(a.sums[c + i] / m * inverse) : T(0);
    }
    for_rows(a.dy.rows(), c, [&](std::size_t row) {
      const T* dy = a.dy.data + row * a.dy.stride;
      T* dx = a.dx.data + row * a.dx.stride;
      if (!a.sums)
        return for_lanes<T>(c, [&](auto lanes, int j) RNX_ALWAYS_INLINE {
          constexpr int N = decltype(lanes)::value;
          store(dx + j, vec<T, N>(load<N>(factor + j) * load<N>(dy + j)));
        });
      const T* x = a.x.data + row * a.x.stride;
      for_lanes<T>(c, [&](auto lanes, int j) RNX_ALWAYS_INLINE {
        constexpr int N = decltype(lanes)::value;
        const vec<T, N> centred = load<N>(x + j) - load<N>(a.mean + j);
        store(dx + j, vec<T, N>(load<N>(factor + j) * (load<N>(dy + j) - load<N>(constant + j) -
                                                       centred * load<N>(slope + j))));
      });
    });
  }
};

template <class T> struct kernel<cpu, op::batch_norm_update<T>> {
  static void run(Stream, const op::batch_norm_update<T>& a) {
    for (int i = 0; i < a.c; ++i) {
      a.running_mean[i] = (1 - a.weight) * a.running_mean[i] + a.weight * a.mean[i];
      a.running_var[i] = (1 - a.weight) * a.running_var[i] + a.weight * (a.var[i] * a.correction);
    }
  }
};

/// db += sum over samples and pixels of dy
template <class T> struct kernel<cpu, op::bias_backward<T>> {
  static void run(Stream, const op::bias_backward<T>& a) {
    using namespace host;
    double* sums = scratch<double>(slot_channels, a.dy.c);
    channel_sums<1>(a.dy.rows(), a.dy.c, sums,
                    [&](auto lanes, std::size_t row, int j, auto* acc) RNX_ALWAYS_INLINE {
                      acc[0] +=
                          load_double<decltype(lanes)::value>(a.dy.data + row * a.dy.stride + j);
                    });
    for (int c = 0; c < a.dy.c; ++c) a.db[c] += T(sums[c]);
  }
};

}  // namespace rnx::inline RNX_ISA
