// How CUDA kernels of weight maps walk over weights, and what they measure of a layer or of each
// filter. Weight k: the dense index, in the order (group, o, i, kh, kw).
#pragma once

#include <cmath>

#include "rnx/kernels/cuda/reduce.cuh"
#include "rnx/quant/map_parameter.hpp"

namespace rnx::inline RNX_ABI::gpu {

/// Where weight k lies in theta.
RNX_SHARED std::size_t weight_offset(const geometry::Weights& g, std::size_t k) {
  const Split x(k, g.kw), y(x.quotient, g.kh), i(y.quotient, g.i), o(i.quotient, g.o);
  return o.quotient * g.sg + o.remainder * g.so + i.remainder * g.si + y.remainder * g.sh +
         x.remainder * g.sw;
}
RNX_SHARED std::size_t filter_count(const geometry::Weights& g) {
  return std::size_t(g.groups) * g.o;
}

/// What a map measures once for the layer or for each filter: segments of weights that lie one
/// behind the other, and the filters of each.
struct Scopes {
  std::size_t segments, length, filters;
  Scopes(const geometry::Weights& g, quant::Per per)
      : segments(per == quant::Per::layer ? 1 : filter_count(g)),
        length(g.count() / segments),
        filters(filter_count(g) / segments) {}
};

/// Terms |w|.
template <class T> struct WeightSizes {
  static constexpr int terms = 1;
  geometry::Weights g;
  const T* theta;
  std::size_t length;  // of a segment
  RNX_SHARED void operator()(std::size_t segment, std::size_t j, double* acc) const {
    acc[0] += std::fabs(theta[weight_offset(g, segment * length + j)]);
  }
};
/// The scales of a segment's filters: the mean of its terms.
template <class T> struct StoreScales {
  T* scales;
  std::size_t length, filters;
  RNX_SHARED void operator()(std::size_t segment, const double* sums) const {
    for (std::size_t o = segment * filters; o < (segment + 1) * filters; ++o)
      scales[o] = T(sums[0] / double(length));
  }
};

/// Largest |w|; a NaN is the largest of all.
template <class T> RNX_SHARED T larger_size(T most, T v) {
  return v <= most || most != most ? most : v;
}
template <class T> struct PartialLargest {
  geometry::Weights g;
  const T* theta;
  std::size_t length, chunks;
  T* partial;  // (segments, chunks)
  RNX_HD void operator()(std::size_t t) const {
    const Split s(t, chunks);
    T most = 0;
    for (std::size_t j = s.remainder; j < length; j += chunks)
      most = larger_size(most, T(std::fabs(theta[weight_offset(g, s.quotient * length + j)])));
    partial[t] = most;
  }
};
template <class T> struct FinishLargest {
  std::size_t chunks;
  const T* partial;
  T* largest;
  RNX_HD void operator()(std::size_t segment) const {
    T most = 0;
    for (std::size_t k = 0; k < chunks; ++k)
      most = larger_size(most, partial[segment * chunks + k]);
    largest[segment] = most;
  }
};
/// largest(segment) of each.
template <class T, class E>
void largest_weights(const E& on, const geometry::Weights& g, const T* theta, const Scopes& s,
                     T* largest) {
  const std::size_t chunks = clamped(s.length / 32, std::size_t(1), std::size_t(1024));
  const Scratch<T, E> partial(on, s.segments * chunks);
  on.each(s.segments * chunks, PartialLargest<T>{g, theta, s.length, chunks, partial.data()});
  on.each(s.segments, FinishLargest<T>{chunks, partial.data(), largest});
}

}  // namespace rnx::inline RNX_ABI::gpu
